// Command cost writes infra/COST.md: it runs flows of requests through the whole of Cairn, over the embedded engine, counts
// what they consume (the units are proved equal to DynamoDB's by the suite of package table), and multiplies by AWS's list
// prices. `make cost` runs it, and a test fails when the page is stale or a budget is exceeded.
package main

import (
	"context"
	"fmt"
	"os"
)

const page = "infra/COST.md"

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "cost:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	template, err := os.ReadFile("template.yaml")
	if err != nil {
		return fmt.Errorf("read template: %w", err)
	}
	text, _, err := write(ctx, template)
	if err != nil {
		return err
	}
	if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	fmt.Println("written:", page)
	return nil
}
