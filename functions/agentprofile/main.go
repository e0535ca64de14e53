// Command agentprofile is the Lambda function of ANY /xapi/agents/profile.
package main

import (
	"os"

	"github.com/cairn-lrs/cairn/internal/app/cloud"
	"github.com/cairn-lrs/cairn/internal/lambdaio"
)

func main() {
	log := lambdaio.Logger()
	handler, err := cloud.AgentProfile(log)
	if err != nil {
		log.Error("start agentprofile", "error", err)
		os.Exit(1)
	}
	lambdaio.Start(handler)
}
