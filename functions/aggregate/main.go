// Command aggregate is the Lambda function of changes of Statements: it counts them for reports.
package main

import (
	"os"

	"github.com/cairn-lrs/cairn/internal/app/cloud"
	"github.com/cairn-lrs/cairn/internal/lambdaio"
)

func main() {
	log := lambdaio.Logger()
	prefix, consume, err := cloud.Aggregate(log)
	if err != nil {
		log.Error("start aggregate", "error", err)
		os.Exit(1)
	}
	lambdaio.StartStream(prefix, consume)
}
