package report_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const videoExtension = "https://w3id.org/xapi/video/extensions/"

// TestVideoThatEverybodyLeaves: the fall to nobody is a fall (M50), and a length that was told before the period holds in it.
func TestVideoThatEverybodyLeaves(t *testing.T) {
	w := newWorld(t, 1000)
	statements := []said{{learner: 99, verb: "initialized", content: "video", at: today.Add(-40 * 24 * time.Hour), result: fmt.Sprintf(`"extensions":{"%slength":100}`, videoExtension)}}
	for learner := range 20 {
		statements = append(statements, said{learner: learner, verb: "terminated", content: "video", at: today.Add(-time.Hour),
			result: fmt.Sprintf(`"extensions":{"%splayed-segments":"0[.]50"}`, videoExtension)})
	}
	w.fold(statements...)
	rows := csv(w.ask("video-heatmap", map[string]string{"content": contents + "video", "range": "7d"}))
	if len(rows) != 100 {
		t.Fatalf("%d bins of a video of 100 s", len(rows))
	}
	var drops []string
	for _, row := range rows {
		if strings.Contains(row["spot"], "drop") {
			drops = append(drops, row["bin"])
		}
	}
	if len(drops) != 1 || drops[0] != "050" {
		t.Errorf("drops at %v", drops)
	}
}
