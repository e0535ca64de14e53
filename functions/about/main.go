// Command about is the Lambda function of ANY /xapi/about.
package main

import (
	"github.com/cairn-lrs/cairn/internal/app/cloud"
	"github.com/cairn-lrs/cairn/internal/lambdaio"
)

func main() { lambdaio.Start(cloud.About(lambdaio.Logger())) }
