// Package measure holds the figures of reports, each a pure function of facts. What each means is told by DEFINITIONS.md in the
// folder above; M01 and the like are its ids.
package measure
