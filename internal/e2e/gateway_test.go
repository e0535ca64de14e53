package e2e

import (
	"testing"

	"github.com/cairn-lrs/cairn/internal/e2e/gateway"
	"github.com/cairn-lrs/cairn/internal/e2e/gateway/gatewaytest"
)

func TestGatewayProbes(t *testing.T) {
	server := serve(t)
	gatewaytest.Run(t, gateway.Target{URL: server.Endpoint(), Key: FixedCredential.Key, Secret: FixedCredential.Secret})
}
