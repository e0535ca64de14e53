package local_test

import (
	"archive/zip"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/app"
	"github.com/cairn-lrs/cairn/internal/app/local"
	"github.com/cairn-lrs/cairn/internal/lrs"
)

const olderFolders = "testdata/older"

// Folders that older versions have written give what they gave then, go on with what is new, and are whole afterwards.
func TestFoldersOfOlderVersions(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join(olderFolders, "*.zip"))
	if err != nil || len(folders) < 2 {
		t.Fatalf("folders %v, %v", folders, err)
	}
	for _, folder := range folders {
		name := strings.TrimSuffix(filepath.Base(folder), ".zip")
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			unzip(t, folder, dir)
			o := openOlder(t, dir)
			o.givesWhatItGave(name)
			o.goesOn()
			o.close()
			wantWhole(t, dir)
			o = openOlder(t, dir)
			o.hasWhatIsNew()
			o.close()
		})
	}
}

// wantWhole requires that a check finds nothing.
func wantWhole(t *testing.T, dir string) {
	t.Helper()
	s, err := local.Check(t.Context(), dir, app.CheckOptions{Report: func(d lrs.Difference) { t.Errorf("%+v", d) }})
	if err != nil || s.Statements.Statements == 0 || s.Statements.Blobs == 0 {
		t.Errorf("check: %+v, %v", s, err)
	}
}

// older is an open folder that an older version has written.
type older struct {
	t *testing.T
	*local.Cairn
}

func openOlder(t *testing.T, dir string) *older {
	return &older{t, open(t, dir, local.Options{})}
}

func (o *older) close() {
	if err := o.Close(); err != nil {
		o.t.Error(err)
	}
}

// ask sends a request, which must be answered with the status. Of a multipart answer the boundary is BOUNDARY.
func (o *older) ask(status int, method, path, contentType, body string) string {
	o.t.Helper()
	r := httptest.NewRequestWithContext(o.t.Context(), method, "/xapi/"+path, strings.NewReader(body))
	r.SetBasicAuth("older", "secret-of-an-older-folder")
	r.Header.Set("X-Experience-API-Version", "1.0.3")
	if body != "" {
		r.Header.Set("Content-Type", contentType)
	}
	w := httptest.NewRecorder()
	o.Handler().ServeHTTP(w, r)
	if w.Code != status {
		o.t.Errorf("%s %s: %d, want %d: %s", method, path, w.Code, status, w.Body)
	}
	answer := w.Body.String()
	if _, parameters, err := mime.ParseMediaType(w.Header().Get("Content-Type")); err == nil && parameters["boundary"] != "" {
		answer = strings.ReplaceAll(answer, parameters["boundary"], "BOUNDARY")
	}
	return answer
}

func (o *older) get(path string) string {
	o.t.Helper()
	return o.ask(http.StatusOK, http.MethodGet, path, "", "")
}

// givesWhatItGave asks again what was asked of the folder then.
func (o *older) givesWhatItGave(name string) {
	text, err := os.ReadFile(filepath.Join(olderFolders, name+".json"))
	if err != nil {
		o.t.Fatal(err)
	}
	var answers map[string]string
	if err := json.Unmarshal(text, &answers); err != nil || len(answers) < 10 {
		o.t.Fatalf("%d answers, %v", len(answers), err)
	}
	for path, want := range answers {
		if diff := cmp.Diff(want, o.get(path)); diff != "" {
			o.t.Errorf("GET %s (-then +now):\n%s", path, diff)
		}
	}
}

// Statements of the folders, and new ones.
const (
	completed = "00000000-0000-4000-8000-000000000001" // by Ada
	filed     = "00000000-0000-4000-8000-000000000007" // with the note attached
	attempted = "00000000-0000-4000-8000-000000000004"
	newer     = "00000000-0000-4000-8000-00000000010" // of one digit less
	note      = "a note that came with a statement"
	noteSHA2  = "1555bc06be091739b60e9ac9445574e1f785b46312359e04065c9587280800af"
)

// goesOn stores what meets older statements: the same one, a contradiction, a reference, a void, the same attachment.
func (o *older) goesOn() {
	const asJSON = "application/json"
	same := o.get("statements?statementId=" + completed)
	o.ask(http.StatusOK, http.MethodPost, "statements", asJSON, same)
	o.ask(http.StatusConflict, http.MethodPost, "statements", asJSON, strings.Replace(same, "example.com/completed", "example.com/failed", 1))
	about := func(n int, verb, target, more string) string {
		return fmt.Sprintf(`{"id":"%s%d","actor":{"mbox":"mailto:eve@example.com"},"verb":{"id":"%s"},"object":{"objectType":"StatementRef","id":"%s"}%s}`, newer, n, verb, target, more)
	}
	o.ask(http.StatusOK, http.MethodPost, "statements", asJSON, about(1, "http://example.com/saw", completed, ""))
	o.ask(http.StatusOK, http.MethodPost, "statements", asJSON, about(2, "http://adlnet.gov/expapi/verbs/voided", attempted, ""))
	attachment := fmt.Sprintf(`,"attachments":[{"usageType":"http://example.com/file","display":{"en":"File"},"contentType":"text/plain","length":%d,"sha2":"%s"}]`, len(note), noteSHA2)
	o.ask(http.StatusOK, http.MethodPost, "statements", "multipart/mixed; boundary=cut", strings.Join([]string{
		"--cut", "Content-Type: application/json", "", about(3, "http://example.com/filed", filed, attachment),
		"--cut", "Content-Type: text/plain", "Content-Transfer-Encoding: binary", "X-Experience-API-Hash: " + noteSHA2, "", note, "--cut--", "",
	}, "\r\n"))
	o.hasWhatIsNew()
}

func (o *older) hasWhatIsNew() {
	if got := o.get("statements?agent=" + `%7B%22mbox%22:%22mailto:ada@example.com%22%7D`); !strings.Contains(got, newer+"1") {
		o.t.Errorf("what refers to a statement by Ada is not listed by her: %s", got)
	}
	o.get("statements?voidedStatementId=" + attempted)
	for _, id := range []string{filed, newer + "3"} {
		if got := o.get("statements?attachments=true&statementId=" + id); strings.Count(got, note) != 1 {
			o.t.Errorf("statement %s has not the note: %s", id, got)
		}
	}
}

// unzip writes what an archive has into a folder.
func unzip(t *testing.T, archive, dir string) {
	t.Helper()
	files, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files.File {
		to := filepath.Join(dir, filepath.FromSlash(file.Name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o700), extract(file, to)); err != nil {
			t.Fatal(err)
		}
	}
	if err := files.Close(); err != nil {
		t.Fatal(err)
	}
}

func extract(file *zip.File, to string) error {
	body, err := file.Open()
	if err != nil {
		return err
	}
	content, err := io.ReadAll(body)
	return errors.Join(err, body.Close(), os.WriteFile(to, content, 0o600))
}
