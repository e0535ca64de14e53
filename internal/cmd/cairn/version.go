package main

import (
	"context"
	"fmt"
	"runtime/debug"
)

var versionCommand = command{
	name:    "version",
	summary: "Print the version of this program",
	run: func(_ context.Context, t terminal, c command, args []string) error {
		if _, err := t.parse(t.flags(c), args, 0, 0); err != nil {
			return err
		}
		version, revision, goVersion := "unknown", "", ""
		if info, ok := debug.ReadBuildInfo(); ok {
			version, goVersion = info.Main.Version, info.GoVersion
			for _, s := range info.Settings {
				if s.Key == "vcs.revision" {
					revision = " revision " + s.Value
				}
			}
		}
		fmt.Fprintf(t.out, "cairn %s%s %s (xAPI 1.0.3, 2.0.0)\n", version, revision, goVersion)
		return nil
	},
}
