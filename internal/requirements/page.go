package requirements

import (
	"fmt"
	"strings"
)

// shown is how many tests a row of the page names.
const shown = 3

// Page writes the map as Markdown.
func Page(parts []Part, proofs Proofs) string {
	var b strings.Builder
	b.WriteString("# Requirements and the tests that prove them\n\n" +
		"Written by `make requirements` from what the tests reported; `make test` fails when it is not what a run of all tests says.\n" +
		"[README](README.md) says how that works and how to read it.\n")
	for _, part := range parts {
		rows, here := 0, 0
		for _, section := range part.Sections {
			rows += len(section.Rows)
			for _, row := range section.Rows {
				if row.Why == "" {
					here++
				}
			}
		}
		fmt.Fprintf(&b, "\n## %s\n\n%d requirements", part.Title, rows)
		if here < rows {
			fmt.Fprintf(&b, ", of which %d do not concern Cairn", rows-here)
		}
		b.WriteString(".\n")
		for _, section := range part.Sections {
			fmt.Fprintf(&b, "\n### %s %s\n\n| id | requirement | tests |\n|---|---|---|\n", section.Number, section.Title)
			for _, row := range section.Rows {
				fmt.Fprintf(&b, "| %s | %s | %s |\n", row.ID, cell(row.Text)+adl(row.ADL), tests(row, proofs[row.ID]))
			}
		}
	}
	return b.String()
}

func adl(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return " <sub>XAPI-" + strings.Join(ids, ", ") + "</sub>"
}

func tests(row Row, names []string) string {
	if row.Why != "" {
		return "does not concern Cairn: " + cell(row.Why)
	}
	var cells []string
	for _, name := range names[:min(shown, len(names))] {
		if strings.HasSuffix(name, ".http") {
			name = fmt.Sprintf("[%s](../e2e/testdata/%s)", name, name)
		}
		cells = append(cells, cell(name))
	}
	if more := len(names) - shown; more > 0 {
		cells = append(cells, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(cells, "<br>")
}

// cell keeps a text inside its cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", ">", "&gt;").Replace(text)
}
