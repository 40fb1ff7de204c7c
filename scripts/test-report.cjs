// The checks of scripts/test-report, which describes and calls them. Environment: BROWSER, KEEP.
"use strict";

const fs = require("fs");
const path = require("path");
const { pathToFileURL } = require("url");
const puppeteer = require("puppeteer-core");
const { HtmlValidate } = require("html-validate");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const MOST = 2_000_000;
// The width of A4 between the page's margins, in pixels.
const PAPER = Math.floor((180 / 25.4) * 96);

const problems = [];
const problem = (page, where, words) => problems.push(`${path.basename(page)} (${where}): ${words}`);

// Validates the HTML. Rules of style are off, and those that do not know SVG.
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

// Elements that are wider than the window, or extend beyond it, and are not in a scrolling region.
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
    const names = [...found, ...regions].slice(0, 5).map((element) => `${element.tagName.toLowerCase()}.${element.className.baseVal ?? element.className}`);
    return all > width || names.length > 0 ? `${all} pixels in a window of ${width}: ${names.join(", ")}` : null;
}

async function look(browser, page, [width, height], scheme) {
    const where = `${width}×${height}, ${scheme}`;
    const tab = await browser.newPage();
    const asked = [];
    tab.on("request", (request) => asked.push(request.url()));
    tab.on("console", (line) => problem(page, where, `console message: ${line.text()}`));
    tab.on("pageerror", (error) => problem(page, where, `error: ${error.message}`));
    await tab.setViewport({ width, height, deviceScaleFactor: width < 600 ? 2 : 1 });
    await tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    const url = pathToFileURL(page).href;
    await tab.goto(url, { waitUntil: "networkidle0" });

    const foreign = asked.filter((request) => request !== url && !request.startsWith("data:"));
    foreign.forEach((request) => problem(page, where, `requests ${request}`));
    const wide = await tab.evaluate(overflowing);
    if (wide) problem(page, where, `is too wide: ${wide}`);

    // The first Tab shows the link that skips to the content.
    await tab.keyboard.press("Tab");
    const skip = await tab.evaluate(() => {
        const active = document.activeElement;
        return active.classList.contains("skip") && active.getBoundingClientRect().top >= 0;
    });
    if (!skip) problem(page, where, "the first Tab does not show the link to the content");
    await tab.evaluate(() => document.activeElement.blur());

    if (process.env.KEEP) {
        const name = `${path.basename(page, ".html")}-${width}-${scheme}`;
        await tab.screenshot({ path: path.join(process.env.KEEP, `${name}.png`) });
        await tab.screenshot({ path: path.join(process.env.KEEP, `${name}-whole.png`), fullPage: true });
    }

    // Folded parts must pass too.
    await tab.evaluate(() => document.querySelectorAll("details").forEach((fold) => (fold.open = true)));
    const open = await tab.evaluate(overflowing);
    if (open) problem(page, where, `unfolded, is too wide: ${open}`);
    // The page's content policy does not apply to scripts injected by the test.
    await tab.evaluate(axe);
    const result = await tab.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    for (const violation of result.violations) {
        const nodes = violation.nodes.slice(0, 3).map((node) => node.html.slice(0, 120));
        problem(page, where, `axe, ${violation.impact}, ${violation.id}: ${violation.help} (${violation.nodes.length}): ${nodes.join(" ")}`);
    }
    const parts = await tab.evaluate(() => document.querySelectorAll("table, svg, details").length);
    await tab.close();
    return `${where}: ${asked.length - asked.filter((request) => request.startsWith("data:")).length} request, ${parts} tables, figures and folds`;
}

// In print nothing is folded, nothing is dark, and nothing is cut off.
async function print(browser, page) {
    const tab = await browser.newPage();
    await tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
    await tab.goto(pathToFileURL(page).href, { waitUntil: "networkidle0" });
    await tab.emulateMediaType("print");
    await tab.setViewport({ width: PAPER, height: 1000 });
    const printed = await tab.evaluate(() => {
        const shown = (element) => element.getBoundingClientRect().height > 0;
        const folded = [...document.querySelectorAll("details > :not(summary)")].filter((part) => !shown(part));
        const dark = [...document.querySelectorAll("svg.dark")].filter(shown);
        const light = [...document.querySelectorAll("svg.light")].filter((figure) => !shown(figure));
        const cut = [...document.querySelectorAll(".scroll")].filter((region) => region.scrollWidth > region.clientWidth + 1);
        const words = (region) => (region.querySelector("caption, title")?.textContent ?? region.textContent).slice(0, 60);
        return {
            folded: folded.length,
            dark: dark.length,
            light: light.length,
            cut: cut.map((region) => `${words(region)} (${region.scrollWidth} of ${region.clientWidth})`),
            paper: getComputedStyle(document.body).backgroundColor,
        };
    });
    if (printed.folded) problem(page, "print", `${printed.folded} parts stay folded`);
    if (printed.dark || printed.light) problem(page, "print", `${printed.dark} dark figures, ${printed.light} light ones missing`);
    printed.cut.forEach((part) => problem(page, "print", `cut off: ${part}`));
    if (printed.paper !== "rgb(255, 255, 255)") problem(page, "print", `the background is ${printed.paper}`);
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
        // There is no sandbox for root, as in CI; no host name resolves.
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
            console.log(`${path.basename(page)}: ${size} bytes, checked`);
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
