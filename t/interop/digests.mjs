// (C) ngx_http_webhook_module contributors

// How the providers sign, by their documentation: what the libraries are
// compared with.

import { createECDH, createHmac, createPrivateKey, createPublicKey,
    sign as keySign } from 'node:crypto';


export function hmac(algorithm, key, encoding, ...parts) {
    const h = createHmac(algorithm, key);
    parts.forEach((part) => h.update(part));
    return h.digest(encoding);
}

function whsec(secret) {
    return Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
}

// Standard Webhooks, with the prefix that the headers have

export function standard(prefix, key = whsec) {
    return (m) => ({
        [`${prefix}-id`]: m.id,
        [`${prefix}-timestamp`]: String(m.ts),
        [`${prefix}-signature`]: 'v1,' + hmac('sha256', key(m.secret),
            'base64', `${m.id}.${m.ts}.`, m.body),
    });
}

export function ed25519(seed) {
    const der = Buffer.concat([
        Buffer.from('302e020100300506032b657004220420', 'hex'), seed ]);
    const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });

    const bytes = createPublicKey(key).export({ format: 'der', type: 'spki' })
        .subarray(-32);

    return { key, hex: bytes.toString('hex'),
        base64: bytes.toString('base64') };
}

// P-256, with its SubjectPublicKeyInfo in base64

export function p256(seed) {
    const pair = createECDH('prime256v1');
    pair.setPrivateKey(seed);

    const point = pair.getPublicKey();
    const [ d, x, y ] = [ seed, point.subarray(1, 33), point.subarray(33) ]
        .map((bytes) => bytes.toString('base64url'));

    const key = createPrivateKey({ format: 'jwk',
        key: { kty: 'EC', crv: 'P-256', d, x, y } });

    return {
        key,
        base64: createPublicKey(key).export({ format: 'der', type: 'spki' })
            .toString('base64'),
    };
}

// a signature whose base64 is padded: the lengths of signatures differ

export function ecdsa(key, text) {
    let signature;

    do {
        signature = keySign('sha256', text, key);
    } while (signature.length % 3 == 0);

    return signature.toString('base64');
}

// names and values of a form, sorted, equal ones once

export function sorted(text) {
    const pairs = text ? text.split('&').map((pair) => pair.split('=')
        .map((part) => decodeURIComponent(part.replace(/\+/g, ' ')))) : [];

    return [ ...new Map(pairs.map((pair) => [ JSON.stringify(pair), pair ]))
        .values() ].sort((a, b) => Buffer.compare(Buffer.from(a[0]),
            Buffer.from(b[0])) || Buffer.compare(Buffer.from(a[1]),
            Buffer.from(b[1]))).map((pair) => pair.join('')).join('');
}
