// Command activities is the Lambda function of ANY /xapi/activities.
package main

import (
	"os"

	"github.com/cairn-lrs/cairn/internal/app/cloud"
	"github.com/cairn-lrs/cairn/internal/lambdaio"
)

func main() {
	log := lambdaio.Logger()
	handler, err := cloud.Activities(log)
	if err != nil {
		log.Error("start activities", "error", err)
		os.Exit(1)
	}
	lambdaio.Start(handler)
}
