// The page of the monitor in Chromium, driven by playwright-core:
//
//	page.mjs test url       what t/interop/page.t asks, as JSON
//	page.mjs pictures url dir
//
// The url is asked while requests come in.

import { chromium } from 'playwright-core';

const [mode, url, dir] = process.argv.slice(2);

const browser = await chromium.launch({
	executablePath: '/usr/bin/chromium',
	args: ['--no-sandbox', '--disable-gpu', '--disable-quic',
		'--no-first-run', '--disable-background-networking',
		'--disable-component-update', '--disable-sync'],
});

async function open(options) {
	const context = await browser.newContext(options);
	const page = await context.newPage();
	const seen = { requests: [], console: [], errors: [] };

	page.on('request', r => seen.requests.push(r.url()));
	page.on('console', m => seen.console.push(m.text()));
	page.on('pageerror', e => seen.errors.push(e.message));

	await page.goto(url, { waitUntil: 'load' });

	return { page, seen, context };
}

async function pictures() {
	for (const [name, width, height] of [['wide', 1000, 720],
		['narrow', 360, 720]])
	{
		for (const colorScheme of ['light', 'dark']) {
			const { page, context } = await open({ colorScheme,
				viewport: { width, height } });

			await page.waitForTimeout(2500);
			await page.screenshot({
				path: `${dir}/monitor-${name}-${colorScheme}.png` });
			await context.close();
		}
	}
}

// the text of a cell

const cell = (page, table, row, label) => page.locator(`#${table} tr`)
	.filter({ has: page.locator('th', { hasText: row }) })
	.locator(`[data-l="${label}"]`).first().textContent();

async function test() {
	const result = {};

	for (const javaScriptEnabled of [false, true]) {
		const name = javaScriptEnabled ? 'script' : 'plain';
		const { page, seen, context } = await open({ javaScriptEnabled,
			viewport: { width: 360, height: 700 } });
		const r = result[name] = { seen };

		if (javaScriptEnabled) {

			// what nginx wrote, as the script does

			const first = await page.evaluate(async () => {
				const text = await (await fetch(location.pathname
					+ '?format=html')).text();
				const doc = new DOMParser().parseFromString(text,
					'text/html');
				const show = d => ['wrong', 'places', 'zones', 'stores',
					'schemes', 'recent'].map(id => d.getElementById(id).innerText
					.replace(/[0-9.]+ s( ago)?|\s+/g, ''));
				return [show(doc), show(document)];
			});

			r.same = first;

			r.before = await cell(page, 'places', 'busy', 'Passed');
			await page.waitForFunction(n => [...document
				.querySelectorAll('#places tr')].some(tr => tr
				.textContent.includes('busy') && tr.querySelector(
				'[data-l=Passed]').textContent != n), r.before);
			await page.waitForFunction(() => [...document
				.querySelectorAll('[data-l="Per second"]')].some(td =>
				td.textContent > 0));
			r.after = await cell(page, 'places', 'busy', 'Passed');

			// an event is asked for, and forgotten

			r.events = [];

			await page.fill('#key', '1');

			for (const button of ['ask', 'forget', 'ask']) {
				await page.click('#' + button);
				await page.waitForFunction(() => document
					.getElementById('event').textContent);
				r.events.push(await page.locator('#event').textContent());
			}

			await page.selectOption('#of',
				{ label: 'zone near, by $webhook_dedup_id' });
			await page.fill('#key', '0'.repeat(32));
			await page.click('#ask');
			await page.waitForFunction(() => document
				.getElementById('event').textContent);
			r.elsewhere = await page.locator('#event').textContent();
		}

		r.form = await page.locator('#form').isVisible();
		r.wrong = await page.locator('#wrong').textContent();
		r.busy = await cell(page, 'places', 'busy', 'Passed');
		r.width = await page.evaluate(() =>
			document.documentElement.scrollWidth).catch(() => null);
		r.scripts = await page.locator('script').count();

		await context.close();
	}

	for (const colorScheme of ['light', 'dark']) {
		const { page, context } = await open({ colorScheme });

		result[colorScheme] = await page.evaluate(() =>
			getComputedStyle(document.body).backgroundColor);

		await context.close();
	}

	console.log(JSON.stringify(result));
}

try {
	await (mode === 'pictures' ? pictures() : test());
} finally {
	await browser.close();
}
