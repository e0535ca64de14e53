package e2e

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/cairn-lrs/cairn/internal/requirements"
)

//go:embed testdata/*.http
var scripts embed.FS

// Scripts reads every script of testdata.
func Scripts() ([]*Script, error) {
	names, err := fs.Glob(scripts, "testdata/*.http")
	if err != nil {
		return nil, fmt.Errorf("list scripts: %w", err)
	}
	all := make([]*Script, len(names))
	for i, name := range names {
		text, err := fs.ReadFile(scripts, name)
		if err != nil {
			return nil, fmt.Errorf("read script: %w", err)
		}
		if all[i], err = Parse(strings.TrimPrefix(name, "testdata/"), string(text)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Run plays every script over a road, each with two stores of its own, several at once.
func Run(t *testing.T, road Road) { run(t, road, (*Script).variants) }

// RunFirst plays one variant of every script.
func RunFirst(t *testing.T, road Road) {
	run(t, road, func(s *Script) []variant { return s.variants()[:1] })
}

func run(t *testing.T, road Road, variants func(*Script) []variant) {
	all, err := Scripts()
	if err != nil {
		t.Fatal(err)
	}
	played := 0
	for _, script := range all {
		for _, variant := range variants(script) {
			played++
			t.Run(strings.TrimSuffix(script.Name, ".http")+variant.name, func(t *testing.T) {
				t.Parallel()
				met, err := script.play(t.Context(), road, variant)
				if err != nil {
					t.Errorf("%s%s:\n%v", script.Name, variant.name, err)
					return
				}
				requirements.Met(t, met...)
			})
		}
	}
	t.Logf("conversations in %s: %d", t.Name(), played)
}

// variant is one way to play a script.
type variant struct {
	name  string   // "" when there is only one
	value string   // of the script's variable
	order []string // of the sections named "in any order"
}

// variants lists every value of "for each" with every order of "in any order".
func (s *Script) variants() []variant {
	values := s.Values
	if s.Variable == "" {
		values = []string{""}
	}
	var all []variant
	for _, value := range values {
		for _, order := range permutations(s.AnyOrder) {
			v := variant{value: value, order: order}
			if value != "" {
				v.name += "/" + strings.ReplaceAll(value, "/", "_")
			}
			if len(order) > 0 {
				v.name += "/" + strings.Join(order, "-")
			}
			all = append(all, v)
		}
	}
	return all
}

func permutations(names []string) [][]string {
	if len(names) == 0 {
		return [][]string{nil}
	}
	var all [][]string
	for i, name := range names {
		rest := slices.Delete(slices.Clone(names), i, i+1)
		for _, order := range permutations(rest) {
			all = append(all, append([]string{name}, order...))
		}
	}
	return all
}

// steps lists the script's steps with the sections in an order.
func (s *Script) steps(order []string) []Step {
	var steps []Step
	next := 0
	for _, section := range s.Sections {
		if slices.Contains(order, section.Name) && section.Name != "" {
			at := slices.IndexFunc(s.Sections, func(other Section) bool { return other.Name == order[next] })
			section = s.Sections[at]
			next++
		}
		steps = append(steps, section.Steps...)
	}
	return steps
}
