// Command fallback is the Lambda function of ANY $default, whatever no other route is for: addresses of the resources
// with doubled or trailing slashes, the page that explains the endpoint, and what is not there.
package main

import (
	"os"

	"github.com/cairn-lrs/cairn/internal/app/cloud"
	"github.com/cairn-lrs/cairn/internal/lambdaio"
)

func main() {
	log := lambdaio.Logger()
	handler, err := cloud.Fallback(log)
	if err != nil {
		log.Error("start fallback", "error", err)
		os.Exit(1)
	}
	lambdaio.Start(handler)
}
