// Command activityprofile is the Lambda function of ANY /xapi/activities/profile.
package main

import (
	"os"

	"github.com/cairn-lrs/cairn/internal/app/cloud"
	"github.com/cairn-lrs/cairn/internal/lambdaio"
)

func main() {
	log := lambdaio.Logger()
	handler, err := cloud.ActivityProfile(log)
	if err != nil {
		log.Error("start activityprofile", "error", err)
		os.Exit(1)
	}
	lambdaio.Start(handler)
}
