// The official Node client, used the way its own documentation does, against the simulator.
//
// Takes ICP_SIM_URL and ICP_SIM_TOKEN, ends with "N checks passed", and with status 1 on the first surprise.

import { Client } from "@hubspot/api-client";

const client = new Client({ accessToken: process.env.ICP_SIM_TOKEN, basePath: process.env.ICP_SIM_URL });
const { basicApi, batchApi, searchApi } = client.crm.companies;
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

// every company, page by page
const everyone = await client.crm.companies.getAll(100, undefined, ["name", "domain", "industry"]);
check("getAll finds companies", everyone.length > 100);
check("no company comes twice", new Set(everyone.map((company) => company.id)).size === everyone.length);
check("companies have names", everyone.every((company) => company.properties.name));
check("dates are dates", everyone[0].createdAt instanceof Date);
const first = await basicApi.getPage(3);
check("a page has its size", first.results.length === 3);
const second = await basicApi.getPage(3, first.paging.next.after);
check("the next page goes on", Number(second.results[0].id) > Number(first.results[2].id));

// search, page by page
const wanted = {
  filterGroups: [{ filters: [{ propertyName: "lifecyclestage", operator: "EQ", value: "lead" }] }],
  sorts: ["hs_object_id"],
  properties: ["lifecyclestage"],
  limit: 20,
};
const found = [];
let total;
do {
  const page = await searchApi.doSearch(wanted);
  found.push(...page.results);
  total = page.total;
  wanted.after = page.paging?.next?.after;
} while (wanted.after);
check("search pages add up to its total", found.length === total && total > 0);
check("search finds what was asked for", found.every((company) => company.properties.lifecyclestage === "lead"));

// one company's life
const made = await basicApi.create({ properties: { name: "Acme", domain: "acme.example" } });
check("a new company has an id", /^\d+$/.test(made.id));
const read = await basicApi.getById(made.id, ["name", "city"], ["name"]);
check("it can be read", read.properties.name === "Acme" && read.properties.city === null);
check("its history names an integration", read.propertiesWithHistory.name[0].sourceType === "INTEGRATION");
const changed = await basicApi.update(made.id, { properties: { city: "Oslo" } });
check("it can be changed", changed.properties.city === "Oslo" && changed.updatedAt >= made.updatedAt);
await basicApi.archive(made.id);
const gone = await refused("reading an archived company", () => basicApi.getById(made.id));
check("an archived company is not found", gone.code === 404);

// batches
const ids = everyone.slice(0, 5).map((company) => company.id);
const answer = await batchApi.read({
  inputs: ids.map((id) => ({ id })),
  properties: ["name"],
  propertiesWithHistory: [],
});
check("batch read finds all", answer.status === "COMPLETE" && answer.results.length === ids.length);
const partly = await batchApi.read({
  inputs: [{ id: ids[0] }, { id: "1" }],
  properties: ["name"],
  propertiesWithHistory: [],
});
check("batch read of an unknown id is a 207", partly.numErrors === 1 && partly.errors[0].context.ids[0] === "1");
const written = await batchApi.update({ inputs: ids.map((id) => ({ id, properties: { city: "Bergen" } })) });
check("batch update writes all", written.results.every((company) => company.properties.city === "Bergen"));
const invalid = await refused("an invalid option", () =>
  basicApi.update(ids[0], { properties: { industry: "Technology" } }),
);
check("an invalid option is a 400", invalid.code === 400 && JSON.stringify(invalid.body).includes("INVALID_OPTION"));

// properties and owners
const { coreApi } = client.crm.properties;
const names = (await coreApi.getAll("companies")).results.map((property) => property.name);
check("standard properties are there", ["name", "domain", "industry"].every((name) => names.includes(name)));
const definition = {
  name: "naive_tier_node",
  label: "Naive tier (Node)",
  type: "enumeration",
  fieldType: "select",
  groupName: "companyinformation",
  options: [{ label: "A", value: "A", displayOrder: 0, hidden: false }],
};
const created = await coreApi.create("companies", definition);
check("a property can be made", created.name === "naive_tier_node" && created.options[0].value === "A");
const twice = await refused("making it twice", () => coreApi.create("companies", definition));
check("but not twice", twice.code === 409);
const people = await client.crm.owners.ownersApi.getPage(undefined, undefined, 100, false);
check("there are owners", people.results.length >= 6 && people.results.every((owner) => owner.id));

console.log(`${passed} checks passed`);
