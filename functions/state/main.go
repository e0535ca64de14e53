// Command state is the Lambda function of ANY /xapi/activities/state.
package main

import (
	"os"

	"github.com/cairn-lrs/cairn/internal/app/cloud"
	"github.com/cairn-lrs/cairn/internal/lambdaio"
)

func main() {
	log := lambdaio.Logger()
	handler, err := cloud.State(log)
	if err != nil {
		log.Error("start state", "error", err)
		os.Exit(1)
	}
	lambdaio.Start(handler)
}
