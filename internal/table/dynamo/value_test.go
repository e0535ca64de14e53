package dynamo

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/cairn-lrs/cairn/internal/table"
)

var anyValue = rapid.OneOf(
	rapid.Map(rapid.String(), table.S),
	rapid.Map(rapid.Int64(), table.N),
	rapid.Map(rapid.SliceOf(rapid.Byte()), table.B),
	members,
)

func TestItemsKeepTheirValues(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		want := table.Item(rapid.MapOfN(rapid.StringN(1, 5, -1), anyValue, 1, 6).Draw(r, "item"))
		got, err := item(attributes(want))
		if err != nil {
			r.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			r.Fatalf("item (-want +got):\n%s", diff)
		}
	})
}

func TestForeignAttributesAreRefused(t *testing.T) {
	for name, a := range map[string]types.AttributeValue{
		"boolean":          &types.AttributeValueMemberBOOL{Value: true},
		"fraction":         &types.AttributeValueMemberN{Value: "1.5"},
		"beyond 64 bits":   &types.AttributeValueMemberN{Value: "9223372036854775808"},
		"set of texts":     &types.AttributeValueMemberSS{Value: []string{"a"}},
		"no type at all":   nil,
		"null":             &types.AttributeValueMemberNULL{Value: true},
		"number in letter": &types.AttributeValueMemberN{Value: "1e3"},
	} {
		if v, err := value(a); err == nil {
			t.Errorf("%s was read as %v", name, v)
		}
	}
	if v, err := streamValue(&streamtypes.AttributeValueMemberBOOL{Value: true}); err == nil {
		t.Errorf("a boolean in the feed was read as %v", v)
	}
}

func TestCursorsKeepTheirKey(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		want := table.Item{
			"pk": table.S(rapid.String().Draw(r, "pk")),
			"sk": table.B(rapid.SliceOfN(rapid.Byte(), 1, 20).Draw(r, "sk")),
		}
		c, err := cursor(attributes(want))
		if err != nil {
			r.Fatal(err)
		}
		start, err := startKey(c)
		if err != nil {
			r.Fatal(err)
		}
		got, err := item(start)
		if err != nil {
			r.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			r.Fatalf("key (-want +got):\n%s", diff)
		}
	})
}

func FuzzStartKey(f *testing.F) {
	f.Add([]byte(`{"pk":{"S":"x"},"sk":{"B":"AQ=="}}`))
	f.Add([]byte(`{"pk":{}}`))
	f.Add([]byte(``))
	f.Fuzz(func(t *testing.T, cursorBytes []byte) {
		key, err := startKey(cursorBytes)
		if err != nil {
			return
		}
		if _, err := item(key); err != nil {
			t.Errorf("an accepted cursor gives an unreadable key: %v", err)
		}
	})
}

func TestParentsComeFirst(t *testing.T) {
	shard := func(id, parent string) streamtypes.Shard {
		s := streamtypes.Shard{ShardId: aws.String(id)}
		if parent != "" {
			s.ParentShardId = aws.String(parent)
		}
		return s
	}
	got := parentsFirst([]streamtypes.Shard{
		shard("grandchild", "child"), shard("other", "trimmed"), shard("child", "root"), shard("root", ""),
	})
	want := []table.Shard{{ID: "root"}, {ID: "child", Parent: "root"}, {ID: "grandchild", Parent: "child"}, {ID: "other"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("shards (-want +got):\n%s", diff)
	}
}
