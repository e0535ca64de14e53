// Command agents is the Lambda function of ANY /xapi/agents.
package main

import (
	"os"

	"github.com/cairn-lrs/cairn/internal/app/cloud"
	"github.com/cairn-lrs/cairn/internal/lambdaio"
)

func main() {
	log := lambdaio.Logger()
	handler, err := cloud.Agents(log)
	if err != nil {
		log.Error("start agents", "error", err)
		os.Exit(1)
	}
	lambdaio.Start(handler)
}
