// Command reports is the Lambda function of the report API, which has an origin of its own: ANY $default.
package main

import (
	"os"

	"github.com/cairn-lrs/cairn/internal/app/cloud"
	"github.com/cairn-lrs/cairn/internal/lambdaio"
)

func main() {
	log := lambdaio.Logger()
	handler, err := cloud.Reports(log)
	if err != nil {
		log.Error("start reports", "error", err)
		os.Exit(1)
	}
	lambdaio.Start(handler)
}
