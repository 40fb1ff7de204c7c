// The checks of scripts/test-report, which says what they are for and calls this. In the environment: BROWSER, KEEP.
"use strict";

const fs = require("fs");
const path = require("path");
const { pathToFileURL } = require("url");
const puppeteer = require("puppeteer-core");
const { HtmlValidate } = require("html-validate");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const MOST = 2_000_000;
// Millimetres of A4 between the page's margins, in pixels.
const PAPER = Math.floor((180 / 25.4) * 96);

const problems = [];
const problem = (page, where, words) => problems.push(`${path.basename(page)} (${where}): ${words}`);

// What a validator of HTML says. Rules of taste are left out, and those that do not know SVG.
async function validate(page, text) {
    const validator = new HtmlValidate({
        extends: ["html-validate:standard"],
        rules: {
            "long-title": "off",
            "no-inline-style": "off",
            "no-trailing-whitespace": "off",
            "prefer-native-element": "off",
            "require-sri": "off",
            "svg-focusable": "off",
            "void-style": "off",
            "attr-case": "off",
            "element-case": "off",
            "tel-non-breaking": "off",
        },
    });
    const report = await validator.validateString(text);
    for (const message of report.results.flatMap((result) => result.messages)) {
        problem(page, `line ${message.line}, column ${message.column}`, `${message.ruleId}: ${message.message}`);
    }
}

// What is wider than the window, or reaches out of it, and has no region of its own that scrolls.
function overflowing() {
    const width = document.documentElement.clientWidth;
    const scrolls = (element) => element.closest(".scroll, .skip") !== null;
    const found = [...document.body.querySelectorAll("*")].filter((element) => {
        const place = element.getBoundingClientRect();
        const inside = element.parentElement.closest(".scroll") !== null;
        return place.width > 0 && !inside && !scrolls(element) && (place.right > width + 1 || place.left < -1);
    });
    const regions = [...document.querySelectorAll(".scroll")].filter((element) => {
        const place = element.getBoundingClientRect();
        return place.right > width + 1;
    });
    const all = document.documentElement.scrollWidth;
    const told = [...found, ...regions].slice(0, 5).map((element) => `${element.tagName.toLowerCase()}.${element.className.baseVal ?? element.className}`);
    return all > width || told.length > 0 ? `${all} pixels in a window of ${width}: ${told.join(", ")}` : null;
}

async function look(browser, page, [width, height], scheme) {
    const where = `${width}×${height}, ${scheme}`;
    const tab = await browser.newPage();
    const asked = [];
    tab.on("request", (request) => asked.push(request.url()));
    tab.on("console", (line) => problem(page, where, `the console says: ${line.text()}`));
    tab.on("pageerror", (error) => problem(page, where, `an error: ${error.message}`));
    await tab.setViewport({ width, height, deviceScaleFactor: width < 600 ? 2 : 1 });
    await tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    const url = pathToFileURL(page).href;
    await tab.goto(url, { waitUntil: "networkidle0" });

    const beside = asked.filter((own) => own !== url && !own.startsWith("data:"));
    beside.forEach((own) => problem(page, where, `asks for ${own}`));
    const wide = await tab.evaluate(overflowing);
    if (wide) problem(page, where, `is too wide: ${wide}`);

    // The first key leads past the contents, and shows where it leads.
    await tab.keyboard.press("Tab");
    const skip = await tab.evaluate(() => {
        const own = document.activeElement;
        return own.classList.contains("skip") && own.getBoundingClientRect().top >= 0;
    });
    if (!skip) problem(page, where, "the first Tab does not show the link to the content");
    await tab.evaluate(() => document.activeElement.blur());

    if (process.env.KEEP) {
        const name = `${path.basename(page, ".html")}-${width}-${scheme}`;
        await tab.screenshot({ path: path.join(process.env.KEEP, `${name}.png`) });
        await tab.screenshot({ path: path.join(process.env.KEEP, `${name}-whole.png`), fullPage: true });
    }

    // What is folded away has to hold too.
    await tab.evaluate(() => document.querySelectorAll("details").forEach((own) => (own.open = true)));
    const open = await tab.evaluate(overflowing);
    if (open) problem(page, where, `unfolded, is too wide: ${open}`);
    // A page's policy does not hold for what a tester brings.
    await tab.evaluate(axe);
    const result = await tab.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    for (const own of result.violations) {
        const nodes = own.nodes.slice(0, 3).map((node) => node.html.slice(0, 120));
        problem(page, where, `axe, ${own.impact}, ${own.id}: ${own.help} (${own.nodes.length}): ${nodes.join(" ")}`);
    }
    const parts = await tab.evaluate(() => document.querySelectorAll("table, svg, details").length);
    await tab.close();
    return `${where}: ${asked.length - asked.filter((own) => own.startsWith("data:")).length} request, ${parts} tables, figures and folds`;
}

// On paper nothing is folded away, nothing is dark, and nothing is cut off.
async function print(browser, page) {
    const tab = await browser.newPage();
    await tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
    await tab.goto(pathToFileURL(page).href, { waitUntil: "networkidle0" });
    await tab.emulateMediaType("print");
    await tab.setViewport({ width: PAPER, height: 1000 });
    const told = await tab.evaluate(() => {
        const shown = (element) => element.getBoundingClientRect().height > 0;
        const folded = [...document.querySelectorAll("details > :not(summary)")].filter((own) => !shown(own));
        const dark = [...document.querySelectorAll("svg.dark")].filter(shown);
        const light = [...document.querySelectorAll("svg.light")].filter((own) => !shown(own));
        const cut = [...document.querySelectorAll(".scroll")].filter((own) => own.scrollWidth > own.clientWidth + 1);
        const words = (own) => (own.querySelector("caption, title")?.textContent ?? own.textContent).slice(0, 60);
        return {
            folded: folded.length,
            dark: dark.length,
            light: light.length,
            cut: cut.map((own) => `${words(own)} (${own.scrollWidth} of ${own.clientWidth})`),
            paper: getComputedStyle(document.body).backgroundColor,
        };
    });
    if (told.folded) problem(page, "print", `${told.folded} parts stay folded away`);
    if (told.dark || told.light) problem(page, "print", `${told.dark} dark figures, ${told.light} light ones missing`);
    told.cut.forEach((own) => problem(page, "print", `cut off: ${own}`));
    if (told.paper !== "rgb(255, 255, 255)") problem(page, "print", `the paper is ${told.paper}`);
    const file = await tab.pdf({ format: "A4", printBackground: true, preferCSSPageSize: false, tagged: true });
    if (file.length < 10_000) problem(page, "print", `a PDF of ${file.length} bytes`);
    if (process.env.KEEP) {
        fs.writeFileSync(path.join(process.env.KEEP, `${path.basename(page, ".html")}.pdf`), file);
    }
    await tab.close();
}

async function main() {
    const browser = await puppeteer.launch({
        executablePath: process.env.BROWSER,
        // As root, as in CI, there is no sandbox; nothing that a page asks for is found.
        args: ["--no-sandbox", "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND"],
    });
    try {
        for (const page of process.argv.slice(2)) {
            const text = fs.readFileSync(page, "utf8");
            const size = Buffer.byteLength(text);
            if (size >= MOST) problem(page, "size", `${size} bytes`);
            await validate(page, text);
            for (const size of [[360, 740], [390, 844], [1280, 900]]) {
                for (const scheme of ["light", "dark"]) {
                    console.log(`${path.basename(page)}, ${await look(browser, page, size, scheme)}`);
                }
            }
            await print(browser, page);
            console.log(`${path.basename(page)}: ${size} bytes, looked at`);
        }
    } finally {
        await browser.close();
    }
    problems.forEach((words) => console.error(words));
    console.log(`${process.argv.length - 2} pages, ${problems.length} problems`);
    process.exitCode = problems.length === 0 ? 0 : 1;
}

main().catch((error) => {
    console.error(error);
    process.exitCode = 2;
});
