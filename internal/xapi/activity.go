package xapi

// Activity is an Activity. Source: Data 2.4.4.1.
type Activity struct {
	ID         string
	Definition []byte // the definition's JSON, valid; nil when absent
}

// activity reads an Activity of contextActivities.
func (d *decoder) activity() (*Activity, error) {
	a := new(Activity)
	err := d.object(onActivity, func(name string) error {
		var err error
		switch name {
		case "objectType":
			_, err = d.literal(onActivity, "Activity")
		case "id":
			a.ID, err = d.iri(onActivity)
		case "definition":
			a.Definition, err = d.rawOf(d.definition)
		default:
			err = d.unknown(onActivity)
		}
		return err
	})
	if err == nil && a.ID == "" {
		err = d.fault(onActivity, "the id is missing")
	}
	return a, err
}

// definition checks an Activity Definition. Whether a component list goes with the
// interactionType is not asked: the specification leaves it open, and H5P and others
// send more than theirs.
func (d *decoder) definition() error {
	isInteraction, hasType := false, false
	err := d.object(onActivity, func(name string) error {
		var err error
		switch name {
		case "name", "description":
			err = d.languageMap()
		case "type":
			_, err = d.iri(onActivity)
		case "moreInfo":
			_, err = d.iri(onActivity)
		case "extensions":
			err = d.extensions()
		case "interactionType":
			hasType = true
			_, err = d.format(onActivity, isInteractionType, "must be one of the interaction types of the specification")
		case "correctResponsesPattern":
			isInteraction = true
			err = d.array(onActivity, func() error {
				_, err := d.string(onActivity)
				return err
			})
		case "choices", "scale", "source", "target", "steps":
			isInteraction = true
			err = d.components()
		default:
			err = d.unknown(onActivity)
		}
		return err
	})
	if err == nil && isInteraction && !hasType {
		err = d.fault(onActivity, "an interaction must have an interactionType")
	}
	return err
}

func isInteractionType(s string) bool {
	switch s {
	case "true-false", "choice", "fill-in", "long-fill-in", "matching", "performance", "sequencing", "likert", "numeric", "other":
		return true
	}
	return false
}

// components checks a list of interaction components, whose ids must be distinct.
func (d *decoder) components() error {
	ids := make(map[string]bool)
	return d.array(onActivity, func() error {
		hasID := false
		err := d.object(onActivity, func(name string) error {
			switch name {
			case "id":
				hasID = true
				id, err := d.string(onActivity)
				if err == nil && ids[id] {
					err = d.fault(onActivity, "the ids of interaction components must be distinct")
				}
				ids[id] = true
				return err
			case "description":
				return d.languageMap()
			}
			return d.unknown(onActivity)
		})
		if err == nil && !hasID {
			err = d.fault(onActivity, "an interaction component must have an id")
		}
		return err
	})
}
