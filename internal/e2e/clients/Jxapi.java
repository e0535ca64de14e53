import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import gov.adlnet.xapi.client.AboutClient;
import gov.adlnet.xapi.client.ActivityClient;
import gov.adlnet.xapi.client.AgentClient;
import gov.adlnet.xapi.client.StatementClient;
import gov.adlnet.xapi.model.Activity;
import gov.adlnet.xapi.model.ActivityDefinition;
import gov.adlnet.xapi.model.ActivityProfile;
import gov.adlnet.xapi.model.ActivityState;
import gov.adlnet.xapi.model.Agent;
import gov.adlnet.xapi.model.AgentProfile;
import gov.adlnet.xapi.model.Attachment;
import gov.adlnet.xapi.model.Statement;
import gov.adlnet.xapi.model.StatementReference;
import gov.adlnet.xapi.model.StatementResult;
import gov.adlnet.xapi.model.Verb;
import gov.adlnet.xapi.util.AttachmentAndType;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Drives an LRS by Maven's gov.adlnet:jxapi. Usage: java -cp 'jars/*' Jxapi.java ENDPOINT KEY SECRET keep
 *
 * <p>keep: uses every resource; ends with 1 and a sentence when anything is not as it should be.
 */
public class Jxapi {
  static final String ACTIVITY = "http://example.org/jxapi";
  static final Agent AGENT = new Agent("Ada", "mailto:jxapi@example.org");

  public static void main(String[] args) throws Exception {
    String endpoint = args[0] + "/", key = args[1], secret = args[2];
    statements(new StatementClient(endpoint, key, secret), () -> new StatementClient(endpoint, key, secret));
    attachments(new StatementClient(endpoint, key, secret));
    documents(new ActivityClient(endpoint, key, secret), new AgentClient(endpoint, key, secret));
    must(new AboutClient(endpoint, key, secret).getAbout().getVersion().contains("1.0.3"), "about does not list 1.0.3");
    Activity activity = new ActivityClient(endpoint, key, secret).getActivity(ACTIVITY);
    must("An activity".equals(activity.getDefinition().getName().get("en")), "the activity has no name");
    String[] names = new AgentClient(endpoint, key, secret).getPerson(AGENT).getName();
    must(Arrays.asList(names).contains("Ada"), "the person has no name");
  }

  interface Maker {
    StatementClient make() throws IOException;
  }

  static Statement statement(String activity) {
    HashMap<String, String> name = new HashMap<>();
    name.put("en", "An activity");
    ActivityDefinition definition = new ActivityDefinition(name, name);
    return new Statement(AGENT, verb("http://adlnet.gov/expapi/verbs/experienced"), new Activity(activity, definition));
  }

  static Verb verb(String id) {
    HashMap<String, String> display = new HashMap<>();
    display.put("en", "did");
    return new Verb(id, display);
  }

  static void statements(StatementClient lrs, Maker another) throws IOException {
    String id = lrs.postStatement(statement(ACTIVITY));
    Statement read = lrs.getStatement(id);
    must(id.equals(read.getId()) && read.getStored() != null && read.getAuthority() != null, "the statement read is not the one saved");
    Statement put = statement(ACTIVITY + "/put"); // it makes the id itself
    must(lrs.putStatement(put, put.getId()), "PUT was refused");
    lrs.postStatements(new ArrayList<>(List.of(statement(ACTIVITY + "/1"), statement(ACTIVITY + "/2"))));
    Set<String> found = new HashSet<>();
    StatementResult page = another.make().filterByActor(AGENT).limitResults(3).getStatements();
    for (Statement s : page.getStatements()) found.add(s.getId());
    while (page.hasMore()) {
      page = lrs.getStatements(page.getMore());
      for (Statement s : page.getStatements()) found.add(s.getId());
    }
    must(found.size() == 4 && found.contains(put.getId()), "the list has " + found.size() + " statements");
    lrs.postStatement(new Statement(AGENT, verb("http://adlnet.gov/expapi/verbs/voided"), new StatementReference(id)));
    must(id.equals(lrs.getVoided(id).getId()), "the voided statement is not there");
    must(fails(() -> lrs.getStatement(id)), "the voided statement still answers to its id");
  }

  static void attachments(StatementClient lrs) throws Exception {
    Path file = Files.createTempFile("jxapi", ".txt");
    try {
      Files.writeString(file, "An attachment\nof two lines");
      Attachment attachment = new Attachment();
      byte[] content = attachment.addAttachment(file.toString(), "text/plain"); // a serialized String, not the file
      attachment.setUsageType(URI.create("http://example.org/usage"));
      HashMap<String, String> display = new HashMap<>();
      display.put("en", "a file");
      attachment.setDisplay(display);
      Statement statement = statement(ACTIVITY);
      statement.setAttachments(new ArrayList<>(List.of(attachment)));
      String id = lrs.postStatementWithAttachments(statement, new ArrayList<>(List.of(new AttachmentAndType(content, "text/plain"))));
      byte[] back = lrs.getStatementWithAttachments(id).getAttachment().get(attachment.getSha2()).getAttachment();
      must(Arrays.equals(content, back), "the attachment did not come back");
    } finally {
      Files.delete(file);
    }
  }

  static void documents(ActivityClient activities, AgentClient agents) throws IOException {
    JsonObject content = new JsonObject();
    content.addProperty("page", 1);
    ActivityState state = new ActivityState(ACTIVITY, "bookmark", AGENT);
    state.setState(content);
    must(activities.putActivityState(state), "the state was refused");
    JsonObject more = new JsonObject();
    more.addProperty("chapter", 2);
    state.setState(more);
    must(activities.postActivityState(state), "the second state was refused");
    must(activities.getActivityState(state).toString().equals("{\"page\":1,\"chapter\":2}"), "the states were not merged");
    JsonArray ids = activities.getActivityStates(ACTIVITY, AGENT, null, null);
    must(ids.toString().equals("[\"bookmark\"]"), "the list of states is " + ids);
    must(activities.deleteActivityStates(ACTIVITY, AGENT, null), "the states were not deleted");
    must(fails(() -> activities.getActivityState(state)), "the deleted state is there");

    HashMap<String, String> fresh = new HashMap<>();
    fresh.put("If-None-Match", "*");
    ActivityProfile activityProfile = new ActivityProfile(ACTIVITY, "p");
    activityProfile.setProfile(content);
    must(activities.putActivityProfile(activityProfile, fresh), "the activity profile was refused");
    must(fails(() -> activities.putActivityProfile(activityProfile, fresh)), "If-None-Match was not minded");
    must(activities.getActivityProfile(activityProfile).equals(content), "the activity profile did not come back");

    AgentProfile agentProfile = new AgentProfile(AGENT, "p");
    agentProfile.setProfile(content);
    must(agents.putAgentProfile(agentProfile, fresh), "the agent profile was refused");
    must(agents.getAgentProfile(agentProfile).equals(content), "the agent profile did not come back");
    must(agents.getAgentProfiles(AGENT, null).toString().equals("[\"p\"]"), "the list of agent profiles is wrong");
  }

  interface Call {
    Object call() throws IOException;
  }

  static boolean fails(Call call) {
    try {
      call.call();
      return false;
    } catch (IOException refused) {
      return true;
    }
  }

  static void must(boolean holds, String sentence) {
    if (!holds) throw new IllegalStateException(sentence);
  }
}
