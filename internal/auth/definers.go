package auth

import (
	"context"
	"fmt"

	"github.com/cairn-lrs/cairn/internal/xapi"
)

// Definers returns which authorities may define, by the scopes that their credentials have now, revoked ones included.
// An authority that is no credential's came with a trusted one, which an operator makes to import what is already
// authoritative elsewhere: it may. It needs the Scanner.
func (d *Directory) Definers(ctx context.Context) (func(authority xapi.IFI) bool, error) {
	credentials, err := d.Credentials(ctx)
	if err != nil {
		return nil, err
	}
	may := make(map[xapi.IFI]bool, len(credentials))
	for _, c := range credentials {
		_, authority, err := authorityOf(c.Store, c.Key)
		if err != nil {
			return nil, fmt.Errorf("list who may define: %w", err)
		}
		may[authority] = c.Scopes.MayDefine()
	}
	return func(authority xapi.IFI) bool {
		allowed, known := may[authority]
		return allowed || !known
	}, nil
}
