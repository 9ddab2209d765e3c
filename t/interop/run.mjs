// (C) ngx_http_webhook_module contributors

// Signs with the providers' libraries, sends to nginx, and is the application
// behind it, where the same libraries judge what has arrived.
//
//   node run.mjs list
//       locations that nginx needs: [ { name, scheme, secret }, ... ]
//   node run.mjs run NOW PORT APP_PORT
//       what came of it, one JSON object a line
//
// NOW is nginx's clock, in unix seconds, and becomes the libraries' too.

import { readFileSync } from 'node:fs';
import http from 'node:http';
import { webcrypto } from 'node:crypto';
import { HOST, SDKS } from './sdks.mjs';


const [ mode, now, port, appPort ] = process.argv.slice(2)
    .map((arg, i) => i ? Number(arg) : arg);

const DIGEST = /[^=,]{40,}=*$/;

const FORMS = [
    [ 'other order', 'b=2&a=1' ],
    [ 'two values', 'a=2&b=3&a=1' ],
    [ 'the same twice', 'a=1&b=3&a=1' ],
    [ 'no values', 'b&a=' ],
    [ 'written otherwise', '%61=%2b%20+&b=%C3%A9' ],
];

const nameOf = (s) => `${s.sdk.replace(/\W+/g, '-')}-${s.scheme}`;

if (mode == 'list') {
    console.log(JSON.stringify(SDKS.map((s) => ({
        name: nameOf(s), scheme: s.scheme, secret: s.secret }))));

} else {
    freeze(now * 1000);

    // there since node 19 without being asked for

    globalThis.crypto ??= webcrypto;

    await main();
    process.exit(0);
}


function freeze(ms) {
    const Real = Date;

    globalThis.Date = class extends Real {
        constructor(...args) {
            super(...args.length ? args : [ ms ]);
        }

        static now() {
            return ms;
        }
    };
}


async function main() {
    const arrived = [];

    const app = http.createServer(async (req, res) => {
        arrived.push({ method: req.method, uri: req.url,
            headers: req.headers, body: await read(req) });
        res.end('ok');
    });

    await new Promise((resolve) => app.listen(appPort, '127.0.0.1', resolve));

    for (const s of SDKS) {
        const { version, engines } = about(s.sdk);
        const what = { sdk: s.sdk, version, scheme: s.scheme };
        let library;

        // some want a node that a distribution may not have yet

        try {
            library = await s.load();

        } catch (e) {
            if (!engines || parseInt(process.versions.node)
                >= parseInt(engines.node.replace(/^\D+/, '')))
            {
                throw e;
            }

            console.log(JSON.stringify({ ...what,
                skip: `wants node ${engines.node}` }));
            continue;
        }

        what.role = library.sign ? 'signs and judges' : 'judges';

        const unknown = new Set(Object.keys(s.differs));

        for (const c of await cases(s, library)) {
            arrived.length = 0;
            unknown.delete(c.name);

            const m = { ...c.message, secret: s.secret };

            const status = await send(m);
            const verdict = await judge(library, m);
            const got = arrived[0];

            console.log(JSON.stringify({ ...what,
                name: c.name, genuine: c.genuine, why: s.differs[c.name],
                status, ...verdict, arrived: arrived.length,
                same: Boolean(got && got.body.equals(m.body)
                    && got.method == m.method && got.uri == m.uri),
                app: got && (await judge(library, { ...got, url: m.url,
                    text: got.body.toString(), secret: s.secret })).accepted,
            }));
        }

        console.log(JSON.stringify({ ...what, unknown: [ ...unknown ] }));
    }
}


// what is sent for each library: { name, genuine, message }

async function cases(s, library) {
    const list = [];
    const signer = library.sign || s.sign;
    const event = { id: 'evt_5e1b0c7d2f9a', type: 'invoice.paid',
        event: { id: '5e1b0c7d', type: 'charge:created' }, events: [],
        data: { id: 42, amount: 1999, currency: 'ZAR' } };

    const text = (ts, more) => s.form
        ? new URLSearchParams({ ...more, MessageSid: 'SM42', Body: 'é & +1',
            AddOns: '', amount: 1999 }).toString()
        : JSON.stringify({ ...event, ...more, ...s.body && s.body(ts) });

    async function message(opts = {}, sign = signer) {
        const ts = opts.ts || now;
        const body = Buffer.from(opts.body ?? text(ts, opts.more));
        const uri = `/${nameOf(s)}?a=b` + (s.query ? `&${s.query(body)}` : '');
        const m = { secret: opts.secret || s.secret, ts, id: 'msg_2f9a4386b1c0',
            body, text: body.toString(), method: 'POST', uri,
            url: `https://${HOST}${uri}` };

        m.headers = { 'content-type': s.form
            ? 'application/x-www-form-urlencoded' : 'application/json',
            ...await sign(m) };
        return m;
    }

    function add(name, genuine, m, changes = {}) {
        m = { ...m, ...changes };
        m.headers = { ...m.headers };

        for (const key of Object.keys(m.headers)) {
            if (m.headers[key] === undefined) {
                delete m.headers[key];
            }
        }

        m.text = m.body.toString();
        list.push({ name, genuine, message: m });
    }

    const good = await message();
    const digest = good.headers[s.header];
    const other = s.other || s.secret.replace(/....$/, 'wxyz');

    const headers = (value) => ({ headers: { ...good.headers,
        [s.header]: value } });

    add('genuine', true, good);
    add('other secret', false, await message({ secret: other }));
    add('changed digest', false, good, headers(digest.replace(/.(?=.{9}$)/,
        (c) => c == '0' ? '1' : '0')));
    add('no digest', false, good, headers(undefined));

    if (s.unsigned) {
        add('digest cut short', false, good, headers(digest.slice(0, -4)));
        return list;
    }

    // both ways of making the digest are one

    if (library.sign) {
        add('genuine, signed by the documentation', true,
            await message({}, s.sign));
    }

    add('text of many languages', true, await message({ more:
        { note: 'Grüße, 世界, 🪝 \u2028 \\u00e9 </script>' } }));
    add('long body', true, await message({ more:
        { note: 'long '.repeat(60000) } }));

    if (s.form) {
        for (const [ name, body ] of FORMS) {
            add(name, true, await message({ body }, s.sign));
        }

        // a signature over what a sloppy decoder finds

        add('broken encoding', false, await message({ body: 'a=%zz' }));
        add('no name', false, await message({ body: '=1&a=2' }));

    } else {
        // with the white space that nothing that parses and serializes keeps;
        // what the library signs itself is what it makes of it

        add('spaces in the body', true, await message({ body:
            JSON.stringify(JSON.parse(text(now)), null, 2) + '\n' }, s.sign));

        const bytes = Buffer.concat([
            Buffer.from(text(now).replace(/}$/, ',"note":"')),
            Buffer.from([ 0xe9, 0xff, 0xc0, 0x80 ]), Buffer.from('"}') ]);

        // nginx reads no time from such a body
        add('bytes that are not UTF-8', !s.body,
            await message({ body: bytes }, s.sign));
    }

    // a time in the body needs one

    if (!s.body) {
        add('empty body', true, await message({ body: '' }, s.sign));
    }

    const flipped = Buffer.from(good.body);
    flipped[flipped.lastIndexOf('1999')] ^= 1;

    add('changed byte', false, good, { body: flipped });
    add('byte added', false, good, { body:
        Buffer.concat([ good.body, Buffer.from('\n') ]) });
    add('body cut short', false, good, { body: good.body.subarray(0, -1) });
    add('digest cut short', false, good, headers(digest.slice(0, -4)));

    add('text after the digest', false, good, headers(digest + '!AAA'));

    if (/[0-9a-f]{40}$/.test(digest)) {
        add('upper-case digest', true, good, headers(digest.replace(
            /[0-9a-f]{40,}$/, (hex) => hex.toUpperCase())));
    }

    if (s.both) {
        const bad = (await message({ secret: other })).headers[s.header];

        add('good digest after another', true, good,
            headers(s.both(bad, digest)));
        add('good digest before another', true, good,
            headers(s.both(digest, bad)));
        add('two digests, none good', false, good, headers(s.both(bad, bad)));
    }

    if (s.window) {
        const [ past, future ] = s.window;

        add('as old as the window', true, await message({ ts: now - past }));
        add('older than the window', false,
            await message({ ts: now - past - 1 }));
        add('as far ahead as the window', true,
            await message({ ts: now + future }));
        add('ahead of the window', false,
            await message({ ts: now + future + 1 }));

        // the time of another message with the digest of this one

        const later = await message({ ts: now + 1 });
        const changed = {};

        for (const [ name, value ] of Object.entries(later.headers)) {
            changed[name] = name == s.header
                ? value.replace(DIGEST, digest.match(DIGEST)[0]) : value;
        }

        if (!s.body) {
            add('other time', false, good, { headers: changed });
        }
    }

    return list;
}


async function judge(library, m) {
    try {
        return { accepted: await library.judge(m) === true };

    } catch (e) {
        return { accepted: false, error: message(e) };
    }
}


function send(m) {
    return new Promise((resolve, reject) => {
        const req = http.request({ host: '127.0.0.1', port, path: m.uri,
            method: m.method, agent: false,
            headers: { ...m.headers, host: HOST,
                'content-length': m.body.length } });

        req.on('error', reject);
        req.on('response', async (res) => {
            await read(res);
            resolve(res.statusCode);
        });

        req.end(m.body);
    });
}


async function read(stream) {
    const pieces = [];

    for await (const piece of stream) {
        pieces.push(piece);
    }

    return Buffer.concat(pieces);
}


function about(name) {
    const file = new URL(`node_modules/${name}/package.json`, import.meta.url);
    return JSON.parse(readFileSync(file));
}


function message(e) {
    return String(e && e.message || e).split('\n')[0];
}
