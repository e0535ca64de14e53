package main

import (
	"os"
	"testing"
)

func deployed(t *testing.T) (template, runbook []byte) {
	t.Helper()
	for name, to := range map[string]*[]byte{"template.yaml": &template, "infra/README.md": &runbook} {
		text, err := os.ReadFile("../../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		*to = text
	}
	return template, runbook
}

func TestTemplateKeepsTheRules(t *testing.T) {
	template, runbook := deployed(t)
	found, err := check(template, runbook)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Error(f)
	}
}

// TestRulesReportEachPlantedFault: what cfn-lint must report is planted by the command, where cfn-lint is installed.
func TestRulesReportEachPlantedFault(t *testing.T) {
	template, runbook := deployed(t)
	for _, f := range faults {
		broken, err := f.plant(template)
		if err != nil {
			t.Error(err)
		}
		if err != nil || f.byLinter {
			continue
		}
		found, err := check(broken, runbook)
		if err != nil || !f.reportedIn(found) {
			t.Errorf("%s: not reported; reported: %q, %v", f.name, found, err)
		}
	}
}
