package xapi

import "encoding/json/jsontext"

// Context is the context of a statement. Source: Data 2.4.6; IEEE 9274.1.1 4.2.2.5.
type Context struct {
	Registration     string // lower case; "" when absent
	Instructor, Team *Actor
	Parent           []*Activity
	Grouping         []*Activity
	Category         []*Activity
	Other            []*Activity
	StatementRef     string   // id of context.statement, lower case; "" when absent
	Agents           []*Actor // of contextAgents, 2.0 only
	Groups           []*Actor // of contextGroups, 2.0 only
}

// context reads a context; it tells r of properties that the object has a say in.
func (d *decoder) context(r *eventReader) (*Context, error) {
	c := new(Context)
	err := d.object(onContext, func(name string) error {
		var err error
		switch name {
		case "registration":
			c.Registration, err = d.uuid(onContext)
		case "instructor":
			c.Instructor, err = d.actor(anyActor)
		case "team":
			c.Team, err = d.actor(groupOnly)
		case "contextActivities":
			err = d.contextActivities(c)
		case "revision", "platform":
			r.activityOnly = name
			_, err = d.string(onContext)
		case "language":
			_, err = d.format(onContext, ValidLanguageTag, "must be an RFC 5646 language tag")
		case "statement":
			c.StatementRef, err = d.reference()
		case "extensions":
			err = d.extensions()
		case "contextAgents":
			if d.version == V1 {
				return d.unknown(onContext)
			}
			c.Agents, err = d.contextActors("contextAgent", "agent", agentOnly)
		case "contextGroups":
			if d.version == V1 {
				return d.unknown(onContext)
			}
			c.Groups, err = d.contextActors("contextGroup", "group", groupOnly)
		default:
			err = d.unknown(onContext)
		}
		return err
	})
	return c, err
}

func (d *decoder) contextActivities(c *Context) error {
	return d.object(onActivities, func(name string) error {
		var err error
		switch name {
		case "parent":
			c.Parent, err = d.activities()
		case "grouping":
			c.Grouping, err = d.activities()
		case "category":
			c.Category, err = d.activities()
		case "other":
			c.Other, err = d.activities()
		default:
			err = d.unknown(onActivities)
		}
		return err
	})
}

// activities reads an array of Activities, or a single one, which the declared edits
// turn into an array. Source: Data 2.4.6.2.
func (d *decoder) activities() (list []*Activity, err error) {
	one := func() error {
		a, err := d.activity()
		list = append(list, a)
		return err
	}
	if d.tokens.PeekKind() != jsontext.KindBeginObject {
		return list, d.array(onActivities, one)
	}
	start := d.next()
	err = one()
	end := d.offset()
	d.edits = append(d.edits, edit{span{start, start}, "["}, edit{span{end, end}, "]"})
	return list, err
}

// contextActors reads contextAgents or contextGroups: objects of objectType with an
// actor under the name property, and the types of its part. Source: IEEE 9274.1.1 4.2.2.5.
func (d *decoder) contextActors(objectType, property string, rule actorRule) (list []*Actor, err error) {
	err = d.array(onContext, func() error {
		var actor *Actor
		hasType := false
		err := d.object(onContext, func(name string) error {
			var err error
			switch name {
			case "objectType":
				hasType = true
				_, err = d.literal(onContext, objectType)
			case property:
				actor, err = d.actor(rule)
			case "relevantTypes":
				err = d.relevantTypes()
			default:
				err = d.unknown(onContext)
			}
			return err
		})
		if err == nil && (!hasType || actor == nil) {
			err = d.fault(onContext, "the objectType and the "+property+" are required")
		}
		list = append(list, actor)
		return err
	})
	return list, err
}

func (d *decoder) relevantTypes() error {
	count := 0
	err := d.array(onContext, func() error {
		count++
		_, err := d.iri(onContext)
		return err
	})
	if err == nil && count == 0 {
		err = d.fault(onContext, "must hold at least one IRI")
	}
	return err
}
