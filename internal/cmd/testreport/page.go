package main

import (
	"fmt"
	"io"
	"os"

	"github.com/cairn-lrs/cairn/internal/requirements"
)

// page is the map of requirements that a run of all tests has to prove.
type page struct {
	file  string // "" when the run is not of all tests
	write bool
}

// check prints what is wrong with the map.
func (p page) check(out io.Writer, proofs requirements.Proofs) (ok bool, err error) {
	parts, err := requirements.Parts()
	if err != nil {
		return false, err
	}
	faults := proofs.Faults(requirements.Rows(parts), p.file != "")
	for _, fault := range faults {
		fmt.Fprintln(out, "requirements: "+fault)
	}
	if p.file == "" || len(faults) > 0 {
		return len(faults) == 0, nil
	}
	text := requirements.Page(parts, proofs)
	if p.write {
		if err := os.WriteFile(p.file, []byte(text), 0o644); err != nil {
			return false, fmt.Errorf("write map of requirements: %w", err)
		}
		return true, nil
	}
	committed, err := os.ReadFile(p.file)
	if err != nil {
		return false, fmt.Errorf("read map of requirements: %w", err)
	}
	if string(committed) != text {
		fmt.Fprintln(out, "requirements: "+p.file+" does not say what the tests proved: `make requirements` writes it")
		return false, nil
	}
	return true, nil
}
