package schema_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/schema"
)

// importFile is what CloudFormation is given to take kept or restored tables and a bucket into a new stack. While it imports it
// makes nothing new, so this is template.yaml without the rest.
// Source: CloudFormation user guide, "Import AWS resources into a CloudFormation stack with a resource import".
const importFile = "../../infra/import.yaml"

const importHead = `AWSTemplateFormatVersion: "2010-09-09"
Description: Cairn's tables and bucket as in template.yaml, to be imported into a stack.

# Written from template.yaml by go test ./internal/schema -run Import -update: a change here is lost.

`

// entry returns a parameter, condition or resource of the template as it stands there.
func entry(t *testing.T, template, name string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^  ` + name + `:.*\n(?:    .*\n)*`).FindString(template)
	if found == "" {
		t.Fatalf("template.yaml has no %s", name)
	}
	return found
}

// TestImportFollowsTheTemplate: what is imported is what make deploy finds in its place afterwards, and the runbook names each
// table.
func TestImportFollowsTheTemplate(t *testing.T) {
	text, err := os.ReadFile("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	template := string(text)
	want := importHead + "Parameters:\n"
	for _, parameter := range []string{"KeepData", "BillingMode", "MinUnits"} {
		want += entry(t, template, parameter)
	}
	want += "\nConditions:\n" + entry(t, template, "Provisioned") + "\nResources:\n"
	names := make([]string, len(schema.Tables))
	for i, table := range schema.Tables {
		names[i] = table.Name
		want += entry(t, template, table.Name+"Table") + "\n"
	}
	want += entry(t, template, "Bucket")
	if *update {
		if err := os.WriteFile(importFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(importFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("infra/import.yaml is not what -update writes (-want +got):\n%s", diff)
	}

	runbook, err := os.ReadFile("../../infra/README.md")
	if err != nil {
		t.Fatal(err)
	}
	if line := "tables=\"" + strings.Join(names, " ") + "\"\n"; !strings.Contains(string(runbook), line) {
		t.Errorf("infra/README.md does not name all tables: want %s", line)
	}
}
