package archtest

import (
	"io/fs"
	"os"
	"os/exec"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

// functionFolders returns the folders of the deployed binaries.
func functionFolders(t *testing.T) []string {
	t.Helper()
	mains, err := fs.Glob(root, "functions/*/main.go")
	if err != nil || len(mains) == 0 {
		t.Fatalf("found %d functions: %v", len(mains), err)
	}
	folders := make([]string, len(mains))
	for i, main := range mains {
		folders[i] = path.Dir(main)
	}
	return folders
}

// TestTemplateDeploysEachFunction: the folders of functions/ and the functions of template.yaml are the same, each is
// built by the Makefile under the name that SAM looks for, and its main's comment names its route.
func TestTemplateDeploysEachFunction(t *testing.T) {
	var template struct {
		Resources map[string]struct {
			Type     string `yaml:"Type"`
			Metadata struct {
				BuildMethod string `yaml:"BuildMethod"`
			} `yaml:"Metadata"`
			// Properties differ by type; only functions' are decoded.
			Properties yaml.Node `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal([]byte(readFile(t, "template.yaml")), &template); err != nil {
		t.Fatal(err)
	}
	routes := map[string]string{}
	for id, resource := range template.Resources {
		if resource.Type != "AWS::Serverless::Function" {
			continue
		}
		if resource.Metadata.BuildMethod != "makefile" {
			t.Errorf("%s is not built by the Makefile", id)
		}
		var properties struct {
			Description string `yaml:"Description"`
			Events      map[string]struct {
				Properties struct {
					Path   string `yaml:"Path"`
					Method string `yaml:"Method"`
					Stream string `yaml:"Stream"` // !GetAtt StatementsTable.StreamArn
				} `yaml:"Properties"`
			} `yaml:"Events"`
		}
		if err := resource.Properties.Decode(&properties); err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		folder := "functions/" + strings.ToLower(strings.TrimSuffix(id, "Function"))
		for _, event := range properties.Events {
			route := event.Properties.Method + " " + event.Properties.Path
			if stream := event.Properties.Stream; stream != "" {
				route = "changes of " + strings.TrimSuffix(stream, "Table.StreamArn")
			}
			if properties.Description != route {
				t.Errorf("%s is described as %q and serves %q", id, properties.Description, route)
			}
			routes[folder] = route
		}
	}
	described := map[string]string{}
	files := load(t)
	for _, folder := range functionFolders(t) {
		for _, f := range files {
			if f.Folder == folder && !f.Test && strings.Contains(f.Syntax.Doc.Text(), routes[folder]) {
				described[folder] = routes[folder]
			}
		}
	}
	if diff := cmp.Diff(routes, described); diff != "" {
		t.Errorf("functions and their routes (-template.yaml +functions/*/main.go):\n%s", diff)
	}
}

// TestMakeGivesSAMTheRegion: the AWS CLI and Cairn's own commands read AWS_REGION, SAM does not.
func TestMakeGivesSAMTheRegion(t *testing.T) {
	for name, c := range map[string]struct {
		environment []string
		want        string
	}{
		"as for Cairn":             {[]string{"AWS_REGION=eu-north-1", "AWS_DEFAULT_REGION=us-west-2"}, "eu-north-1"},
		"as for SAM":               {[]string{"AWS_DEFAULT_REGION=us-west-2"}, "us-west-2"},
		"none, so the profile has": {nil, "unset"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command("make", "-s", "-C", "../..", "-f", "Makefile", "-f", "-", "region")
			cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, c.environment...)
			cmd.Stdin = strings.NewReader("region: ; @echo $${AWS_DEFAULT_REGION-unset}\n")
			got, err := cmd.CombinedOutput()
			if err != nil || strings.TrimSpace(string(got)) != c.want {
				t.Errorf("SAM gets the region %q, %v, want %q", got, err, c.want)
			}
		})
	}
}
