// Lighthouse over some pages, a fresh Chromium for each. Standard input: {chromium, arguments, performance, pages: [{name,
// url, cookies}]}; standard output: {name: {scores, failed, bytes, requests, shift}}. Called by lighthouse.py.
import lighthouse from "lighthouse";
import puppeteer from "puppeteer-core";

const CATEGORIES = ["accessibility", "best-practices", "seo"];
const NUMBERS = ["cumulative-layout-shift", "total-byte-weight", "network-requests"];

/** What does not reach its full score in the categories that count. */
function failed(report) {
  const refs = CATEGORIES.slice(0, 2).flatMap((id) => report.categories[id].auditRefs);
  const audits = refs.filter((ref) => ref.weight > 0).map((ref) => report.audits[ref.id]);
  return audits
    .filter((audit) => audit.score !== null && audit.score < 1)
    .map((audit) => {
      const items = (audit.details?.items ?? []).slice(0, 3).map((item) => item.node?.snippet ?? JSON.stringify(item));
      return `${audit.id}: ${audit.title} ${items.join(" | ").slice(0, 300)}`;
    });
}

async function look(asked, page) {
  const browser = await puppeteer.launch({ executablePath: asked.chromium, args: asked.arguments, headless: true });
  try {
    const tab = await browser.newPage();
    if (page.cookies.length) await browser.setCookie(...page.cookies);
    const categories = asked.performance ? [...CATEGORIES, "performance"] : CATEGORIES;
    const flags = { logLevel: "error", disableStorageReset: true, onlyCategories: categories, maxWaitForLoad: 30_000 };
    if (!asked.performance) Object.assign(flags, { onlyAudits: NUMBERS, throttlingMethod: "provided" });
    const { lhr: report } = await lighthouse(page.url, flags, undefined, tab);
    if (report.runtimeError) throw new Error(`${page.name}: ${report.runtimeError.message}`);
    const scores = Object.fromEntries(Object.entries(report.categories).map(([id, one]) => [id, Math.round(100 * one.score)]));
    return {
      url: report.finalDisplayedUrl,
      scores,
      failed: failed(report),
      bytes: report.audits["total-byte-weight"].numericValue,
      requests: report.audits["network-requests"].details.items.length,
      shift: report.audits["cumulative-layout-shift"].numericValue,
    };
  } finally {
    await browser.close();
  }
}

let input = "";
for await (const part of process.stdin) input += part;
const asked = JSON.parse(input);
const found = {};
for (const page of asked.pages) {
  found[page.name] = await look(asked, page);
  // Now and then the trace of a page lacks what the shift is reckoned from: such a look says nothing, and is taken again.
  if (found[page.name].shift === undefined) found[page.name] = await look(asked, page);
}
process.stdout.write(JSON.stringify(found));
