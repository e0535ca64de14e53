package lrs

import (
	"context"
	"time"
)

// Horizon knows the last closed millisecond: nothing can still be stored at or before it, and everything stored until
// then is listed. Source of the announcement: xAPI 1.0.3 Communication 2.1.4, X-Experience-API-Consistent-Through.
type Horizon interface {
	Through(ctx context.Context) (time.Time, error)
}
