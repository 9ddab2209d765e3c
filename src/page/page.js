
'use strict';

const $ = id => document.getElementById(id);
const url = location.pathname + '?format=json';
const sum = o => Object.values(o).reduce((n, x) => n + x, 0);
const esc = s => String(s).replace(/[&<>"']/g, c => `&#${c.charCodeAt()};`);
const td = (l, v) => v === '' || v === 0
  ? `<td data-l="${l}" class="none">${v}</td>` : `<td data-l="${l}">${v}</td>`;

let now, before, data, events;

function time(s) {
  return s < 60 ? `${s} s` : s < 3600 ? `${s / 60 | 0} min`
    : s < 172800 ? `${s / 3600 | 0} h` : `${s / 86400 | 0} days`;
}

const since = t => time(Math.max(now - t, 0));
const ago = t => since(t) + ' ago';

/* locations of one name and scheme are one place: what became of requests */

function places(d) {
  const all = new Map();

  for (const p of d.places) {
    const key = p.scheme + '\n' + p.place;
    const q = all.get(key) || { name: p.place, scheme: p.scheme, dry: false };

    if (!all.has(key)) {
      q.outcomes = {};
      q.reasons = {};
      q.last = p.last.passed;
      q.matches = p.matches;

      for (const mode of Object.values(p.requests)) {
        for (const [outcome, reasons] of Object.entries(mode)) {
          q.outcomes[outcome] = (q.outcomes[outcome] || 0) + sum(reasons);

          if (outcome == 'rejected' || outcome == 'unavailable') {
            for (const [r, n] of Object.entries(reasons)) {
              q.reasons[r] = (q.reasons[r] || 0) + n;
            }
          }
        }
      }

      all.set(key, q);
    }

    q.dry = q.dry || p.dry_run;
  }

  return [...all.values()];
}

const of = (p, outcome) => p.outcomes[outcome] || 0;
const bad = p => of(p, 'rejected') + of(p, 'unavailable');
const many = o => Object.entries(o).filter(e => e[1])
  .sort((a, b) => b[1] - a[1]);

function wrong(all) {
  const list = [];
  const add = (name, text, kind) => list.push(`<li${kind ? ` class="${kind}"`
    : ''}><b>${esc(name)}</b> ${text}`);

  for (const z of data.zones) {
    if (z.evicted) {
      add(`zone ${z.zone}`, `forgot ${z.evicted} accepted events before their time: `
        + 'the zone is full, make it larger.');
    }

    if (z.used >= .9 * z.slots) {
      add(`zone ${z.zone}`, `is ${fill(z)} % full: make the zone larger.`);
    }

    if (z.state && now - z.state.written > 10) {
      add(`zone ${z.zone}`, 'cannot write its state file, '
        + (z.state.written ? `last in step ${ago(z.state.written)}`
          : 'it never was in step') + ': see the error log.');
    }

    const s = z.store;

    if (s && s.processes.down) {
      const { up, down } = s.processes;

      add(`store ${s.store}`, 'cannot be asked'
        + (up ? ` by ${down} of ${up + down} worker processes` : '')
        + `, for ${since(s.since)}: ${esc(s.error)}.`);
    }

    if (s && s.lost) {
      add(`store ${s.store}`, `was not told of ${s.lost} accepted events: `
        + 'the zone had no room to keep them.');
    }
  }

  for (const p of all) {
    const store = p.reasons.store_unavailable || 0;
    const full = p.reasons.zone_full || 0;
    const fault = of(p, 'unavailable') - store - full;
    const say = (n, why) => n
      && add(p.name, `answered 503 to ${n} requests: ${why}`);

    say(store, 'the store could not be asked.');
    say(full, 'the zone was full.');
    say(fault, 'a fault of this server, see the error log.');
  }

  for (const p of all) {
    if (of(p, 'rejected') && !of(p, 'passed')) {
      add(p.name, `rejected ${of(p, 'rejected')} requests, and none has `
        + `passed: ${esc(many(p.reasons)[0][0])}.`);
    }
  }

  for (const p of all) {
    if (p.dry) {
      add(p.name, 'is in dry run: all requests are let through.', 'dry');
    }
  }

  return list.join('') || '<li class="ok"><b>Nothing</b> that can be seen '
    + 'from here.';
}

const fill = z => (Math.round(1000 * z.used / z.slots) / 10).toFixed(1);

function rate(p) {
  const old = before && before.places.get(p.scheme + '\n' + p.name);

  return old === undefined ? '' : ((sum(p.outcomes) - old)
    / Math.max(now - before.now, 1)).toFixed(1);
}

function place(p) {
  const others = many(p.outcomes)
    .filter(e => !['passed', 'rejected', 'duplicate'].includes(e[0]));

  return `<tr><th scope="row">${esc(p.name)} <small>${esc(p.scheme)}`
    + `${p.dry ? ', dry run' : ''}</small></th>`
    + td('Passed', of(p, 'passed')) + td('Rejected', of(p, 'rejected'))
    + td('Duplicates', of(p, 'duplicate'))
    + td('Others', others.map(e => `${e[0]} ${e[1]}`).join(', '))
    + td('Why', many(p.reasons).slice(0, 3)
      .map(e => `${e[0]} ${e[1]}`).join(', '))
    + td('By secret', p.matches.join(', '))
    + td('Last pass', p.last ? ago(p.last) : '') + td('Per second', rate(p));
}

function zone(z) {
  return `<tr><th scope="row">${esc(z.zone)}</th>`
    + td('Fill', `<meter max="${z.slots}" high="${.9 * z.slots | 0}" value="${
      z.used}"></meter> ${fill(z)} % <small>${z.used} of ${z.slots}</small>`)
    + td('In flight', z.in_flight) + td('Claimed', z.claims)
    + td('Accepted', z.committed) + td('Not accepted', z.freed)
    + td('Evicted', z.evicted) + td('Too late', z.lost)
    + td('Forgotten', z.forgotten)
    + td('State file', z.state ? z.state.written
      ? `in step ${ago(z.state.written)}` : 'never in step' : '');
}

function store(s) {
  return `<tr><th scope="row">${esc(s.store)}</th>`
    + td('State', s.since ? `${s.processes.down ? 'down' : 'up'} for ${
      since(s.since)}` : 'not tried yet')
    + td('New', s.operations.mine) + td('Accepted', s.operations.done)
    + td('In flight', s.operations.busy)
    + td('No answer', s.operations.failed)
    + td('Not asked', s.operations.down) + td('Owed', s.owed)
    + td('Sent again', s.sent_again)
    + td('Last error', s.failed
      ? `${esc(s.error)} <small>${ago(s.failed)}</small>` : '');
}

/* the mean, and the bound below which are 95 of 100 */

function spread(h) {
  if (!h.total) {
    return '';
  }

  const i = h.count.findIndex(n => n >= .95 * h.total);

  return `mean ${(h.sum / h.total).toFixed(2)} s, 95 % `
    + (i < 0 ? `over ${h.le[h.le.length - 1]} s` : `within ${h.le[i]} s`)
    + ` <small>of ${h.total}</small>`;
}

function refused(r) {
  return `<tr><th scope="row">${esc(r.place)} <small>${esc(r.scheme)}${
    r.mode == 'dry_run' ? ', dry run' : ''}</small></th>`
    + td('When', ago(r.time)) + td('Outcome', r.outcome)
    + td('Reason', r.reason) + td('Hint', r.hint ? esc(r.hint) : '')
    + td('Age', r.age === null ? '' : `${r.age} s`);
}

function show(d) {
  data = d;
  now = d.now;

  const all = places(d);

  all.sort((a, b) => bad(b) - bad(a));

  $('about').textContent = `nginx ${d.nginx}, module ${d.version}. Counting `
    + `since ${time(now - d.since)}, configuration read ${ago(d.loaded)}. `
    + `Waiting requests: ${d.waiting}.`;
  $('wrong').innerHTML = wrong(all);
  $('places').innerHTML = all.slice(0, 200).map(place).join('');
  $('zones').innerHTML = d.zones.map(zone).join('');
  $('stores').innerHTML = d.zones.filter(z => z.store)
    .map(z => store(z.store)).join('');
  $('fleet').hidden = !d.zones.some(z => z.store);
  $('schemes').innerHTML = d.schemes.map(s => `<tr><th scope="row">${
    esc(s.scheme)}</th>` + td('Age of events', spread(s.age))
    + td('Ahead of the clock', spread(s.ahead))
    + td('Deliveries', spread(s.delivery))).join('');
  $('recent').innerHTML = d.recent.map(refused).join('');

  if (!events) {
    form(d);
  }

  if (!before || now > before.now) {
    before = { now, places: new Map(all.map(p =>
      [p.scheme + '\n' + p.name, sum(p.outcomes)])) };
  }
}

/* one event, of a place by its key, or of a zone by its id */

function form(d) {
  events = d.places.filter(p => p.dedup).map(p => ({
    zone: p.dedup.zone, args: { server: p.server, location: p.location },
    named: p.dedup.namespace.includes('$'),
    label: `${p.server}${p.location}, by ${p.dedup.key.join(', ')}`
  })).concat(d.zones.map(z => ({
    zone: z.zone, args: { zone: z.zone }, id: true,
    label: `zone ${z.zone}, by $webhook_dedup_id`
  })));

  $('of').innerHTML = events.map((e, i) =>
    `<option value="${i}">${esc(e.label)}`).join('');
  $('form').hidden = !events.length;
  choose();
}

function choose() {
  $('named').hidden = !events.length || !events[$('of').value].named;
  $('event').textContent = '';
}

async function ask(method) {
  const e = events[$('of').value];
  const args = new URLSearchParams(e.args);

  $('event').textContent = '';

  if (e.named) {
    args.append('namespace', $('namespace').value);
  }

  for (const key of $('key').value.trim().split('\n')) {
    args.append(e.id ? 'id' : 'key', key.trim());
  }

  try {
    const a = await (await fetch(location.pathname + '?' + args, {
      method, headers: method == 'DELETE' ? { 'Webhook-Forget': e.zone } : {}
    })).json();

    $('event').textContent = a.error ? `Not possible: ${a.message}.`
      : a.forgotten ? 'Forgotten: it is delivered again if it is sent again.'
        + (a.message ? ` But ${a.message}.` : '')
      : a.state == 'unknown' ? 'Not remembered.'
      : (a.state == 'done' ? 'Remembered' : 'With the application')
        + (a.until ? `, for ${time(Math.max(a.until - now, 0))} more.` : '.');

  } catch (x) {
    $('event').textContent = 'No answer from nginx.';
  }
}

$('of').addEventListener('change', choose);
$('form').addEventListener('submit', x => {
  x.preventDefault();
  ask('GET');
});

if ($('forget')) {
  $('forget').addEventListener('click', () => ask('DELETE'));
}

async function refresh() {
  if (document.hidden) {
    return;
  }

  try {
    show(await (await fetch(url)).json());
    document.title = 'Webhooks';

  } catch (e) {
    document.title = 'No answer';
    $('about').textContent = 'No answer from nginx: what is shown is old.';
  }
}

setInterval(refresh, 2000);
document.addEventListener('visibilitychange', refresh);
refresh();
