package main

// price is one of AWS's list prices in us-east-1, in dollars.
type price struct {
	name   string
	amount float64
	per    float64 // of what it is named after
	unit   string
	source string // where it was read, and when
}

func (p price) of(n float64) float64 { return n / p.per * p.amount }

// The prices. None of AWS's own pages shows them without a browser: each was read where its source says.
var (
	writeUnit   = price{"write unit, on demand", 0.625, 1e6, "million", "AWS's agent toolkit, calculate_costs.py, 2026-08"}
	readUnit    = price{"read unit, on demand", 0.125, 1e6, "million", "the same"}
	writeHour   = price{"write unit a second, provisioned", 0.00065, 1, "hour", "three third parties, 2026-03 to 2026-06; no page of AWS was read"}
	readHour    = price{"read unit a second, provisioned", 0.00013, 1, "hour", "the same"}
	storedItem  = price{"table storage", 0.25, 1, "GB-month", "AWS's agent toolkit, 2026-08: bytes and 100 for each item or entry"}
	restorable  = price{"point-in-time recovery", 0.20, 1, "GB-month", "a third party, undated"}
	gateway     = price{"request at the HTTP API", 1.00, 1e6, "million", "AWS's worked example, read 2026-09-20"}
	invocation  = price{"request at Lambda", 0.20, 1e6, "million", "AWS's plan as listed by a third party, read 2026-09-20"}
	gigabytes   = price{"Lambda's time, arm64", 0.0000133334, 1, "GB-second", "two third parties, 2024; AWS's page needs a browser"}
	logged      = price{"log lines", 0.50, 1e9, "GB", "three third parties, 2026-02"}
	objectPut   = price{"S3 PUT", 0.005, 1000, "thousand", "a third party, 2026-05-05"}
	objectGet   = price{"S3 GET", 0.0004, 1000, "thousand", "the same"}
	objectBytes = price{"S3 storage", 0.023, 1, "GB-month", "third parties"}
	transferred = price{"bytes to the internet", 0.09, 1e9, "GB", "a third party; the first 100 GB a month are free"}
	watched     = price{"metric of an alarm", 0.10, 1, "month", "several third parties, undated; the first 10 are free"}
	board       = price{"dashboard", 3.00, 1, "month", "the same; the first 3 are free, of up to 50 metrics each"}
)

var prices = []price{
	writeUnit, readUnit, writeHour, readHour, storedItem, restorable, gateway, invocation, gigabytes, logged,
	objectPut, objectGet, objectBytes, transferred, watched, board,
}

// What cannot be counted on one machine is assumed, and said on the page.
const (
	utilisation  = 0.7  // of provisioned units: the target that infra/scaling.yaml tracks
	perCall      = 10.0 // ms that a call of DynamoDB or S3 takes a function
	perStatement = 1.0  // ms of its own work, on the part of a CPU that comes with its memory
	perRequest   = 2.0  // ms of its own work beside
	perMegabyte  = 20.0 // ms for the bytes of an object that it reads or writes
	memory       = 0.5  // GB of a function

	scalingAlarms = 4 // that target tracking keeps for the reads or the writes of a table or index, seen in listings of third parties

	temporaryDays = 2.0 // that an upload or a large answer lies in the bucket: its rule removes it at the midnight after a day
	daysAMonth    = 30.0
)

// bill is what a usage costs, in dollars.
type bill struct {
	onDemand, provisioned                 float64 // of the tables
	gateway, lambda, logs, objects, bytes float64
}

func (u usage) bill(stream bool) bill {
	hours := 3600 * utilisation
	seconds := (float64(u.calls+u.puts+u.gets)*perCall + float64(u.statements)*perStatement + float64(u.requests)*perRequest +
		float64(u.moved)/1e6*perMegabyte) / 1000
	atGateway := u.requests
	if stream {
		atGateway = 0
	}
	return bill{
		onDemand:    writeUnit.of(u.write) + readUnit.of(u.read),
		provisioned: writeHour.of(u.write/hours) + readHour.of(u.read/hours),
		gateway:     gateway.of(float64(atGateway)),
		lambda:      invocation.of(float64(u.requests)) + gigabytes.of(seconds*memory),
		logs:        logged.of(float64(u.logged)),
		objects: objectPut.of(float64(u.puts+u.urlPuts)) + objectGet.of(float64(u.gets+u.urlGets)) +
			objectBytes.of(float64(u.temporary)/1e9*temporaryDays/daysAMonth),
		bytes: transferred.of(float64(u.answered)),
	}
}

// beside is everything but the tables.
func (b bill) beside() float64 { return b.gateway + b.lambda + b.logs + b.objects + b.bytes }
