package fact

import "strings"

// The beginnings of activity types' ids.
const (
	adlType     = "http://adlnet.gov/expapi/activities/"
	acrossType  = "https://w3id.org/xapi/acrossx/activities/"
	tinType     = "http://id.tincanapi.com/activitytype/"
	cmi5Type    = "https://w3id.org/xapi/cmi5/activitytype/"
	videoType   = "https://w3id.org/xapi/video/activity-type/"
	h5pLibrary  = "http://h5p.org/libraries/H5P."
	h5pLibraryS = "https://h5p.org/libraries/H5P."
)

// typeKinds maps definition.type to a kind (definition 0.8).
var typeKinds = map[string]Kind{
	adlType + "course":          KindCourse,
	acrossType + "course":       KindCourse,
	cmi5Type + "course":         KindCourse,
	adlType + "module":          KindModule,
	adlType + "lesson":          KindModule,
	acrossType + "page":         KindModule,
	stream + "page":             KindModule,
	cmi5Type + "block":          KindModule,
	videoType + "video":         KindVideo,
	stream + "video":            KindVideo,
	acrossType + "video":        KindVideo,
	stream + "audio":            KindAudio,
	acrossType + "audio":        KindAudio,
	adlType + "cmi.interaction": KindQuestion,
	adlType + "question":        KindQuestion,
	acrossType + "question":     KindQuestion,
	adlType + "assessment":      KindAssessment,
	acrossType + "assessment":   KindAssessment,
	adlType + "file":            KindDocument,
	stream + "file":             KindDocument,
	adlType + "link":            KindDocument,
	acrossType + "webpage":      KindDocument,
	tinType + "document":        KindDocument,
	adlType + "simulation":      KindSimulation,
	stream + "game":             KindSimulation,
	tinType + "game":            KindSimulation,
	adlType + "meeting":         KindLive,
	tinType + "webinar":         KindLive,
	stream + "event":            KindLive,
	tinType + "discussion":      KindDiscussion,
	acrossType + "discussion":   KindDiscussion,
}

// libraryKinds maps the name of an H5P library, without "H5P." and version, to a kind.
var libraryKinds = map[string]Kind{
	"InteractiveVideo":     KindVideo,
	"Video":                KindVideo,
	"Audio":                KindAudio,
	"MultiChoice":          KindQuestion,
	"TrueFalse":            KindQuestion,
	"Blanks":               KindQuestion,
	"AdvancedBlanks":       KindQuestion,
	"DragQuestion":         KindQuestion,
	"DragText":             KindQuestion,
	"MarkTheWords":         KindQuestion,
	"Essay":                KindQuestion,
	"SortParagraphs":       KindQuestion,
	"Dictation":            KindQuestion,
	"ImageHotspotQuestion": KindQuestion,
	"MultiMediaChoice":     KindQuestion,
	"QuestionSet":          KindAssessment,
	"SingleChoiceSet":      KindAssessment,
	"ArithmeticQuiz":       KindAssessment,
	"Summary":              KindAssessment,
	"CoursePresentation":   KindModule,
	"InteractiveBook":      KindModule,
	"Column":               KindModule,
	"BranchingScenario":    KindSimulation,
	"MemoryGame":           KindSimulation,
}

// kindOf is what a statement says of its object's kind (definition 0.8).
func kindOf(s *statement) Kind {
	if !s.Object.isActivity() {
		return KindOther
	}
	d := &s.Object.Definition
	if kind, ok := typeKinds[d.Type]; ok {
		return kind
	}
	if d.InteractionType != "" {
		return KindQuestion
	}
	if s.Context != nil {
		for i := range s.Context.Activities.Category {
			if kind := libraryKind(s.Context.Activities.Category[i].ID); kind != KindOther {
				return kind
			}
		}
	}
	switch {
	case strings.HasPrefix(s.Verb.ID, videoVerb):
		return KindVideo
	case isAnswer(s.Verb.ID):
		return KindQuestion
	}
	return KindOther
}

// libraryKind is the kind of an H5P library, named in a category as http://h5p.org/libraries/H5P.Name-1.2.
func libraryKind(category string) Kind {
	rest, ok := strings.CutPrefix(category, h5pLibrary)
	if !ok {
		if rest, ok = strings.CutPrefix(category, h5pLibraryS); !ok {
			return KindOther
		}
	}
	name, _, _ := strings.Cut(rest, "-")
	return libraryKinds[name]
}
