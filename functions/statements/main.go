// Command statements is the Lambda function of ANY /xapi/statements.
package main

import (
	"os"

	"github.com/cairn-lrs/cairn/internal/app/cloud"
	"github.com/cairn-lrs/cairn/internal/lambdaio"
)

func main() {
	log := lambdaio.Logger()
	handler, err := cloud.Statements(log)
	if err != nil {
		log.Error("start statements", "error", err)
		os.Exit(1)
	}
	lambdaio.Start(handler)
}
