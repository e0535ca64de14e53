package cloud

import (
	"testing"

	"github.com/cairn-lrs/cairn/internal/e2e"
)

// TestOperator mends a stack by its operator's commands. It has a road of its own, beside TestRoad's: a rebuild waits for
// minutes, and what goes wrong here goes wrong for everybody.
func TestOperator(t *testing.T) {
	t.Parallel()
	road := deploy(t)
	if road == nil {
		return
	}
	e2e.RunOperator(t, road)
	isWhole(t, road)
}
