package importer

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// countingReader counts what was read, for the progress.
type countingReader struct {
	r    io.Reader
	read atomic.Int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.read.Add(int64(n))
	return n, err
}

// Bar draws progress: on a terminal one line that is drawn over, elsewhere a plain line now and then.
type Bar struct {
	w        io.Writer
	terminal bool
	now      func() time.Time

	file  string
	size  int64
	begin time.Time
	drawn time.Time
	line  bool // a bar stands on the current line
}

const (
	barWidth      = 30
	drawInterval  = 100 * time.Millisecond
	plainInterval = 5 * time.Second
)

// NewBar makes a Bar that draws to w, which is a terminal or not.
func NewBar(w io.Writer, terminal bool, now func() time.Time) *Bar {
	return &Bar{w: w, terminal: terminal, now: now}
}

// Begin begins an input.
func (b *Bar) Begin(file string, size int64) {
	b.file, b.size = filepath.Base(file), size
	b.begin = b.now()
	b.drawn = b.begin
}

// Note writes a line above the bar.
func (b *Bar) Note(text string) {
	b.wipe()
	fmt.Fprintf(b.w, "%s: %s\n", b.file, text)
}

// Advance draws.
func (b *Bar) Advance(read int64, s Summary) {
	now := b.now()
	interval := plainInterval
	if b.terminal {
		interval = drawInterval
	}
	if now.Sub(b.drawn) < interval {
		return
	}
	b.drawn = now
	done := fmt.Sprintf("%d stored, %d refused, %.0f/s", s.Before+s.Stored, s.Refused, Rate(s.Stored, now.Sub(b.begin)))
	share := ""
	if b.size > 0 {
		part := min(float64(read)/float64(b.size), 1)
		share = fmt.Sprintf("%3.0f%% ", 100*part)
		if b.terminal {
			full := int(part * barWidth)
			share = "[" + strings.Repeat("=", full) + strings.Repeat(" ", barWidth-full) + "] " + share
		}
	}
	if b.terminal {
		fmt.Fprintf(b.w, "\r%s %s%s\x1b[K", b.file, share, done)
		b.line = true
		return
	}
	fmt.Fprintf(b.w, "%s: %s%s\n", b.file, share, done)
}

// End leaves the terminal on a fresh line.
func (b *Bar) End() { b.wipe() }

func (b *Bar) wipe() {
	if b.line {
		fmt.Fprint(b.w, "\r\x1b[K")
		b.line = false
	}
}

// Rate is how many a second.
func Rate(n int64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}
