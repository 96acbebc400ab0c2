// jsforce, used the way its own documentation does, against the simulator.
//
// Takes ICP_SIM_URL, ICP_SIM_TOKEN, ICP_SIM_KEY and ICP_SIM_SECRET, ends with "N checks passed", and with
// status 1 on the first surprise. 3.10.14 is the newest that runs on Node 20 (later ones need 22).

import jsforce from "jsforce";

const url = process.env.ICP_SIM_URL;
let passed = 0;

function check(what, held) {
  if (!held) {
    console.error(`surprise: ${what}`);
    process.exit(1);
  }
  passed += 1;
}

async function refused(what, call) {
  try {
    await call();
  } catch (error) {
    return error;
  }
  console.error(`surprise: ${what} was not refused`);
  return process.exit(1);
}

// log in as an app does
const app = new jsforce.Connection({
  instanceUrl: url,
  version: "66.0",
  oauth2: { clientId: process.env.ICP_SIM_KEY, clientSecret: process.env.ICP_SIM_SECRET, loginUrl: url },
});
const who = await app.authorize({ grant_type: "client_credentials" });
check("a login names user and org", /^005/.test(who.id) && /^00D/.test(who.organizationId));
check("a login brings a session", Boolean(app.accessToken));
const wrong = await refused("a wrong secret", () =>
  new jsforce.Connection({
    oauth2: { clientId: process.env.ICP_SIM_KEY, clientSecret: "wrong", loginUrl: url },
  }).authorize({ grant_type: "client_credentials" }),
);
check("a wrong secret is said to be one", String(wrong).startsWith("invalid_client"));

const org = new jsforce.Connection({ instanceUrl: url, accessToken: process.env.ICP_SIM_TOKEN, version: "66.0" });

// describe
const described = await org.sobject("Account").describe();
check("Account is described", described.name === "Account" && described.keyPrefix === "001");
const industry = described.fields.find((field) => field.name === "Industry");
check("a picklist has its values", industry.type === "picklist" && industry.picklistValues.length === 32);

// query, page by page
const { records: all } = await org.query(
  "SELECT Id, Name, NumberOfEmployees, SystemModstamp, Owner.Email FROM Account ORDER BY Id",
  { autoFetch: true, maxFetch: 10_000, headers: { "Sforce-Query-Options": "batchSize=200" } },
);
check("a query brings every account", all.length === 250);
check("none comes twice", new Set(all.map((account) => account.Id)).size === all.length);
check("ids come in order", all.every((account, at) => at === 0 || account.Id > all[at - 1].Id));
check("ids have 18 characters", all.every((account) => account.Id.length === 18));
check("a parent's field is nested", all.every((account) => account.Owner.Email.includes("@")));
check("stamps have whole seconds", all.every((account) => /\.000\+0000$/.test(account.SystemModstamp)));
const counted = await org.query("SELECT COUNT() FROM Account WHERE NumberOfEmployees > 1000");
const large = all.filter((account) => account.NumberOfEmployees > 1000).length;
check("a count agrees with the rows", counted.totalSize === large);
const nonsense = await refused("a field nobody has", () => org.query("SELECT Shoe_Size__c FROM Account"));
check("an unknown field is named", nonsense.errorCode === "INVALID_FIELD" && /Shoe_Size__c/.test(nonsense.message));
const found = await org.sobject("Account").find({ Industry: "Banking" }, ["Id", "Industry"]);
check("find finds what was asked for", found.every((account) => account.Industry === "Banking"));

// one account's life
const made = await org.sobject("Account").create({ Name: "Acme", Website: "acme.example" });
check("a new account has an id", made.success && /^001/.test(made.id));
const kept = await org.sobject("Account").update({ Id: made.id, NumberOfEmployees: 120 });
check("an update lands", kept.success);
const read = await org.sobject("Account").retrieve(made.id);
check("what was written can be read", read.Name === "Acme" && read.NumberOfEmployees === 120);
await refused("a word for a number", () => org.sobject("Account").update({ Id: made.id, NumberOfEmployees: "many" }));

// collections
const some = all.slice(0, 150);
const results = await org.sobject("Account").update(
  some.map((account, at) => ({ Id: account.Id, Description: at === 7 ? "x".repeat(32_001) : `number ${at}` })),
  { allOrNone: false },
);
check("a collection answers in order", results.length === 150 && results.every((one, at) => one.success === (at !== 7)));
check("a row's error has a code", results[7].errors[0].statusCode === "STRING_TOO_LONG");
const both = await org.sobject("Account").retrieve([some[0].Id, some[1].Id]);
check("several are retrieved at once", both.length === 2 && both[1].Description === "number 1");

// Bulk API 2.0 both ways
const rows = await (await org.bulk2.query("SELECT Id, Name, Description FROM Account")).toArray();
check("a bulk query brings every account", rows.length === 251);
check("what was written comes in bulk too", rows.some((row) => row.Description === "number 3"));
const loaded = await org.bulk2.loadAndWaitForResults({
  object: "Account",
  operation: "update",
  input: [
    { Id: some[0].Id, Description: 'two\nlines, and "quotes"' },
    { Id: "001000000000000AAA", Description: "nobody" },
  ],
  pollTimeout: 30_000,
  pollInterval: 100,
});
check("a bulk update tells what landed", loaded.successfulResults.length === 1);
check("and what did not", loaded.failedResults.length === 1 && Boolean(loaded.failedResults[0].sf__Error));
const lines = await org.sobject("Account").retrieve(some[0].Id);
check("line breaks survive", lines.Description.replace("\r\n", "\n") === 'two\nlines, and "quotes"');

// departures and limits
await org.sobject("Account").destroy(made.id);
await refused("a deleted account", () => org.sobject("Account").retrieve(made.id));
const deleted = await org.sobject("Account").deleted(new Date(Date.now() - 3_600_000), new Date(Date.now() + 120_000));
check("a deletion is told", deleted.deletedRecords.some((record) => record.id === made.id));
const limits = await org.limits();
check("limits are told", limits.DailyApiRequests.Remaining > 0);
check("every reply says how much is used", org.limitInfo.apiUsage.used > 0);
const stranger = new jsforce.Connection({ instanceUrl: url, accessToken: "00D!none", version: "66.0" });
const shut = await refused("a stranger", () => stranger.query("SELECT Id FROM Account"));
check("a bad session is said to be one", shut.errorCode === "INVALID_SESSION_ID");

console.log(`${passed} checks passed`);
