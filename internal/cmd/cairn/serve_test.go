package main

import (
	"net"
	"testing"
)

func TestAddresses(t *testing.T) {
	tests := []struct {
		name      string
		ip        string
		loopback  bool
		reachable string
	}{
		{"loopback", "127.0.0.1", true, "127.0.0.1:8080"},
		{"another loopback", "127.1.2.3", true, "127.1.2.3:8080"},
		{"loopback of IPv6", "::1", true, "[::1]:8080"},
		{"everywhere", "0.0.0.0", false, "127.0.0.1:8080"},
		{"everywhere by IPv6", "::", false, "127.0.0.1:8080"},
		{"a private network", "192.168.1.7", false, "192.168.1.7:8080"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := &net.TCPAddr{IP: net.ParseIP(test.ip), Port: 8080}
			if got := isLoopback(a); got != test.loopback {
				t.Errorf("isLoopback is %v", got)
			}
			if got := reachable(a); got != test.reachable {
				t.Errorf("reachable is %s, want %s", got, test.reachable)
			}
		})
	}
}

func TestQuote(t *testing.T) {
	for word, want := range map[string]string{"a b": `'a b'`, "it's": `'it'\''s'`, "": "''", `$x "y"`: `'$x "y"'`} {
		if got := quote(word); got != want {
			t.Errorf("quote(%q) = %s, want %s", word, got, want)
		}
	}
}
