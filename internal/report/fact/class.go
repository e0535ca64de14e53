package fact

import "strings"

// The beginnings of verbs' and types' ids.
const (
	adl       = "http://adlnet.gov/expapi/verbs/"
	w3adl     = "https://w3id.org/xapi/adl/verbs/"
	across    = "https://w3id.org/xapi/acrossx/verbs/"
	tin       = "http://id.tincanapi.com/verb/"
	stream    = "http://activitystrea.ms/schema/1.0/"
	videoVerb = "https://w3id.org/xapi/video/verbs/"
)

// verbClasses are the classes that a verb alone brings (definitions, section 1).
var verbClasses = map[string]Class{
	adl + "launched":     Launched,
	adl + "initialized":  Started,
	adl + "attempted":    Started,
	videoVerb + "played": Started,
	stream + "start":     Started,
	stream + "play":      Started,
	adl + "progressed":   Progressed,
	adl + "completed":    Completed,
	adl + "passed":       Passed,
	adl + "failed":       Failed,
	w3adl + "waived":     Waived,
	w3adl + "satisfied":  Satisfied,
	w3adl + "abandoned":  Abandoned | Ended,
	adl + "terminated":   Ended,
	adl + "exited":       Ended,
	tin + "left":         Ended,
	stream + "close":     Ended,
}

// contradiction is what classOf returns for a statement whose verb and result contradict each other.
const contradiction Class = 1 << 15

// classOf gives the classes of a statement by its verb and by what is in the fact already: kind, success, completion.
func classOf(verb string, f *Fact) Class {
	class := verbClasses[verb]
	if class.Has(Completed) && f.Completion == No || class.Has(Passed) && f.Success == No || class.Has(Failed) && f.Success == Yes {
		return contradiction
	}
	if f.Completion == Yes {
		class |= Completed
	}
	if f.Kind == KindQuestion {
		if isAnswer(verb) {
			class |= Answered
		}
		return class
	}
	switch f.Success {
	case Yes:
		class |= Passed
	case No:
		class |= Failed
	}
	return class
}

func isAnswer(verb string) bool { return verb == adl+"answered" || verb == across+"evaluated" }

// actionOf is a verb of the Video Profile as M49 pairs them.
func actionOf(verb string) Action {
	name, ok := strings.CutPrefix(verb, videoVerb)
	if !ok {
		return NoAction
	}
	switch name {
	case "played":
		return Played
	case "paused":
		return Paused
	case "seeked":
		return Seeked
	}
	return NoAction
}
