// Command uploads is the Lambda function of ANY /xapi/uploads.
package main

import (
	"os"

	"github.com/cairn-lrs/cairn/internal/app/cloud"
	"github.com/cairn-lrs/cairn/internal/lambdaio"
)

func main() {
	log := lambdaio.Logger()
	handler, err := cloud.Uploads(log)
	if err != nil {
		log.Error("start uploads", "error", err)
		os.Exit(1)
	}
	lambdaio.Start(handler)
}
