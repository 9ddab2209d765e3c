// (C) ngx_http_webhook_module contributors

// The libraries of the providers: how each signs, how each judges, and where
// it is known to judge differently from nginx.
//
//   sdk       package; scheme: what nginx verifies with
//   secret    as the provider shows it; other: one that nginx does not know
//   key       where it is not the secret that signs
//   body      (ts) the event, what else than the usual one is needed
//   form      the body is a form
//   query     (body) what else stands in the query of the address
//   header    that has the digest
//   sign      (m) the headers of message m, by the provider's documentation
//   window    [past, future] in seconds, where a timestamp is signed
//   both      (a, b) the digest header with the digests of both a and b
//   unsigned  the body is not signed, the header is the secret
//   load      () imports the library, returns what it can do:
//               sign    (m) the headers, made by the library itself
//               judge   (m) true if the library accepts the message
//   differs   cases in which the library's answer is another one, and why
//
// A message has secret, body (a Buffer), text (the body as a string), method,
// url, headers (names in lower case), and for signing ts (unix seconds) and id.

import { createHash, sign as keySign } from 'node:crypto';
import { parse } from 'node:querystring';
import { ecdsa, ed25519, hmac, p256, sorted, standard } from './digests.mjs';


export const HOST = 'hooks.example.com';

const TEXT = 'the library takes text, not bytes';
const JSON_ONLY = 'the library parses JSON in the same call';
const NO_EMPTY = 'the library wants a body';
const CASE = 'the library compares the text of the digest';
const AGE = 'the library checks the age only';
const JUNK = 'the library decodes what stands before it';

// as for most that take text and compare text

const HEX_TEXT = {
    'upper-case digest': CASE,
    'bytes that are not UTF-8': TEXT,
};


const SPACE = (a, b) => `${a} ${b}`;
const COMMA_V1 = (a, b) => `${a},${b.replace(/^.*?(v1=)/, '$1')}`;

// true unless it throws

async function accepts(code) {
    await code();
    return true;
}

const telnyx = [ 3, 4 ].map((n) => ed25519(Buffer.alloc(32, n)));
const sendgrid = [ 5, 6 ].map((n) => p256(Buffer.alloc(32, n)));

const discord = [ 1, 2 ].map((n) => ed25519(Buffer.alloc(32, n)));


export const SDKS = [

    {
        sdk: 'stripe', scheme: 'stripe',
        secret: 'whsec_Eq5vXy0sV3yFhWcBtq7dZ9LmN2pRkTjA',
        header: 'stripe-signature', window: [ 300, 300 ], both: COMMA_V1,
        sign: (m) => ({ 'stripe-signature': `t=${m.ts},v1=`
            + hmac('sha256', m.secret, 'hex', `${m.ts}.`, m.body) }),
        load: async () => {
            const { default: Stripe } = await import('stripe');
            const stripe = new Stripe('sk_test_0');

            return {
                sign: (m) => ({ 'stripe-signature':
                    stripe.webhooks.generateTestHeaderString({
                        payload: m.text, secret: m.secret, timestamp: m.ts,
                    }) }),
                judge: (m) => accepts(() => stripe.webhooks.constructEvent(
                    m.body, m.headers['stripe-signature'], m.secret)),
            };
        },
        differs: {
            ...HEX_TEXT, 'empty body': JSON_ONLY, 'ahead of the window': AGE,
        },
    },

    {
        sdk: 'svix', scheme: 'svix',
        secret: 'whsec_plJ3nmyCDGBKInavdOK15jsl',
        other: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD',
        header: 'svix-signature', window: [ 300, 300 ], both: SPACE,
        sign: standard('svix'),
        load: async () => {
            const { Webhook } = await import('svix');

            return {
                sign: (m) => ({
                    'svix-id': m.id,
                    'svix-timestamp': String(m.ts),
                    'svix-signature': new Webhook(m.secret)
                        .sign(m.id, new Date(m.ts * 1000), m.text),
                }),
                judge: (m) => accepts(() => new Webhook(m.secret)
                    .verify(m.body, m.headers)),
            };
        },
        differs: { 'bytes that are not UTF-8': TEXT, 'empty body': JSON_ONLY },
    },

    // the library knows one window only

    ...[ [ 'standard-webhooks', 300 ], [ 'yoco', 180 ], [ 'gitlab', 300 ] ]
        .map(([ scheme, window ]) => ({
        sdk: 'standardwebhooks', scheme,
        secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
        other: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD',
        header: 'webhook-signature', window: [ window, window ], both: SPACE,
        sign: standard('webhook'),
        load: async () => {
            const { Webhook } = await import('standardwebhooks');

            return {
                sign: (m) => ({
                    'webhook-id': m.id,
                    'webhook-timestamp': String(m.ts),
                    'webhook-signature': new Webhook(m.secret)
                        .sign(m.id, new Date(m.ts * 1000), m.text),
                }),
                judge: (m) => accepts(() => new Webhook(m.secret)
                    .verify(m.body, m.headers)),
            };
        },
        differs: {
            'bytes that are not UTF-8': TEXT,
            ...(window != 300 && {
                'older than the window': 'the library allows 5 minutes',
                'ahead of the window': 'the library allows 5 minutes',
            }),
        },
    })),

    {
        sdk: '@octokit/webhooks-methods', scheme: 'github',
        secret: "It's a Secret to Everybody",
        header: 'x-hub-signature-256',
        sign: (m) => ({ 'x-hub-signature-256': 'sha256='
            + hmac('sha256', m.secret, 'hex', m.body) }),
        load: async () => {
            const { sign, verify } = await import('@octokit/webhooks-methods');

            return {
                sign: async (m) => ({ 'x-hub-signature-256':
                    await sign(m.secret, m.text) }),
                judge: (m) => verify(m.secret, m.text,
                    m.headers['x-hub-signature-256']),
            };
        },
        differs: { ...HEX_TEXT, 'empty body': NO_EMPTY },
    },

    {
        sdk: 'secure-webhooks', scheme: 'bamotf',
        secret: 'dWv3nRq8Zt5Lk1Xh9Yc4Pb7Ms2Gf6Jd0Ta3Ve5Uo',
        header: 'x-webhook-signature', window: [ 300, 300 ],
        sign: (m) => ({ 'x-webhook-signature': `v=${m.ts}000,d=`
            + hmac('sha256', m.secret, 'hex', m.body, `${m.ts}000`) }),
        load: async () => {
            const { symmetric } = (await import('secure-webhooks')).default;

            return {
                sign: (m) => ({ 'x-webhook-signature':
                    symmetric.sign(m.text, m.secret, m.ts * 1000) }),
                judge: (m) => symmetric.verify(m.text, m.secret,
                    m.headers['x-webhook-signature']),
            };
        },
        differs: { ...HEX_TEXT },
    },

    {
        sdk: '@slack/events-api', scheme: 'slack',
        secret: '8f742231b10e8888abcd99yyyzzz85a5',
        header: 'x-slack-signature', window: [ 300, 300 ],
        sign: (m) => ({
            'x-slack-request-timestamp': String(m.ts),
            'x-slack-signature': 'v0='
                + hmac('sha256', m.secret, 'hex', `v0:${m.ts}:`, m.body),
        }),
        load: async () => {
            const { verifyRequestSignature }
                = (await import('@slack/events-api')).default;

            return {
                judge: (m) => verifyRequestSignature({
                    signingSecret: m.secret,
                    requestSignature: m.headers['x-slack-signature'],
                    requestTimestamp:
                        Number(m.headers['x-slack-request-timestamp']),
                    body: m.text,
                }),
            };
        },
        differs: { ...HEX_TEXT, 'ahead of the window': AGE },
    },

    {
        sdk: '@line/bot-sdk', scheme: 'line',
        secret: '8c570fa6dd201bb328f1c1eac23a96d8',
        header: 'x-line-signature',
        sign: (m) => ({ 'x-line-signature':
            hmac('sha256', m.secret, 'base64', m.body) }),
        load: async () => {
            const { validateSignature }
                = (await import('@line/bot-sdk')).default;

            return {
                judge: (m) => validateSignature(m.body, m.secret,
                    m.headers['x-line-signature']),
            };
        },
        differs: { 'text after the digest': JUNK },
    },

    {
        sdk: '@mux/mux-node', scheme: 'mux',
        secret: 'SuperSecret123SuperSecret123',
        header: 'mux-signature', window: [ 300, 300 ], both: COMMA_V1,
        sign: (m) => ({ 'mux-signature': `t=${m.ts},v1=`
            + hmac('sha256', m.secret, 'hex', `${m.ts}.`, m.body) }),
        load: async () => {
            const { default: Mux } = await import('@mux/mux-node');
            const mux = new Mux({ tokenId: 'a', tokenSecret: 'b' });

            return {
                judge: (m) => accepts(() => mux.webhooks.verifySignature(
                    m.text, m.headers, m.secret)),
            };
        },
        differs: { ...HEX_TEXT, 'ahead of the window': AGE },
    },

    {
        sdk: '@workos-inc/node', scheme: 'workos',
        secret: 'Xy0sV3yFhWcBtq7dZ9LmN2pRk',
        header: 'workos-signature', window: [ 180, 180 ],
        sign: (m) => ({ 'workos-signature': `t=${m.ts}000, v1=`
            + hmac('sha256', m.secret, 'hex', `${m.ts}000.`, m.body) }),
        load: async () => {
            const { WorkOS } = await import('@workos-inc/node');
            const { webhooks } = new WorkOS('sk_test_0');

            return {
                sign: async (m) => ({ 'workos-signature': `t=${m.ts}000, v1=`
                    + await webhooks.computeSignature(m.ts * 1000,
                        JSON.parse(m.text), m.secret) }),
                judge: (m) => webhooks.verifyHeader({
                    payload: JSON.parse(m.text),
                    sigHeader: m.headers['workos-signature'],
                    secret: m.secret,
                }),
            };
        },
        differs: {
            ...HEX_TEXT, 'empty body': JSON_ONLY, 'ahead of the window': AGE,
            'spaces in the body': 'the library serializes the parsed body',
            'byte added': 'the library serializes the parsed body',
        },
    },

    {
        sdk: 'openai', scheme: 'openai',
        secret: 'whsec_RdvaYFYUXuIFuEbvZHwMfYFhUf7aMYjYcmM24+Aj40c=',
        other: 'whsec_plJ3nmyCDGBKInavdOK15jsl',
        header: 'webhook-signature', window: [ 300, 300 ], both: SPACE,
        sign: standard('webhook'),
        load: async () => {
            const { default: OpenAI } = await import('openai');
            const openai = new OpenAI({ apiKey: 'sk-0' });

            return {
                judge: (m) => accepts(() => openai.webhooks.unwrap(m.text,
                    m.headers, m.secret)),
            };
        },
        differs: {
            'bytes that are not UTF-8': TEXT, 'empty body': JSON_ONLY,
            'text after the digest': JUNK,
        },
    },

    {
        sdk: '@paddle/paddle-node-sdk', scheme: 'paddle',
        secret: 'pdl_ntfset_01gkdqfhm4eymc0tk59pwm1q7p_xY0sV3yFhWcB',
        header: 'paddle-signature', window: [ 5, 5 ],
        both: (a, b) => `${a};${b.replace(/^.*?(h1=)/, '$1')}`,
        sign: (m) => ({ 'paddle-signature': `ts=${m.ts};h1=`
            + hmac('sha256', m.secret, 'hex', `${m.ts}:`, m.body) }),
        load: async () => {
            const { Paddle } = await import('@paddle/paddle-node-sdk');
            const { webhooks } = new Paddle('pdl_0');

            return {
                judge: (m) => webhooks.isSignatureValid(m.text, m.secret,
                    m.headers['paddle-signature']),
            };
        },
        differs: {
            ...HEX_TEXT, 'ahead of the window': AGE,
            'good digest before another': 'the library takes the last h1 only',
        },
    },

    {
        sdk: '@polar-sh/sdk', scheme: 'polar',
        secret: 'polar_whs_Eq5vXy0sV3yFhWcBtq7dZ9LmN2',
        header: 'webhook-signature', window: [ 300, 300 ], both: SPACE,
        sign: standard('webhook', (secret) => secret),
        load: async () => {
            const { validateEvent, WebhookVerificationError }
                = (await import('@polar-sh/sdk/webhooks/index.js')).default;

            return {
                judge: async (m) => {
                    try {
                        validateEvent(m.body, m.headers, m.secret);

                    } catch (e) {
                        // an event of another shape, once it is authentic

                        if (e.name != 'SDKValidationError'
                            || e instanceof WebhookVerificationError)
                        {
                            throw e;
                        }
                    }

                    return true;
                },
            };
        },
        differs: { 'bytes that are not UTF-8': TEXT },
    },

    {
        sdk: 'square', scheme: 'square',
        secret: 'Ym4xUHJvamVjdFNxdWFyZQ',
        header: 'x-square-hmacsha256-signature',
        sign: (m) => ({ 'x-square-hmacsha256-signature':
            hmac('sha256', m.secret, 'base64', m.url, m.body) }),
        load: async () => {
            const { WebhooksHelper } = (await import('square')).default;

            return {
                judge: (m) => WebhooksHelper.isValidWebhookEventSignature(
                    m.text, m.headers['x-square-hmacsha256-signature'],
                    m.secret, m.url),
            };
        },
        differs: { 'bytes that are not UTF-8': TEXT },
    },

    {
        sdk: '@shopify/shopify-api', scheme: 'shopify',
        secret: 'hush_5e1b0c7d2f9a4386b1c0',
        header: 'x-shopify-hmac-sha256',
        sign: (m) => ({
            'x-shopify-topic': 'orders/create',
            'x-shopify-shop-domain': 'example.myshopify.com',
            'x-shopify-api-version': '2024-07',
            'x-shopify-webhook-id': m.id,
            'x-shopify-hmac-sha256':
                hmac('sha256', m.secret, 'base64', m.body),
        }),
        load: async () => {
            await import('@shopify/shopify-api/adapters/node');
            const { shopifyApi, LATEST_API_VERSION, LogSeverity }
                = await import('@shopify/shopify-api');

            return {
                judge: async (m) => {
                    const shopify = shopifyApi({
                        apiKey: 'a',
                        apiSecretKey: m.secret,
                        scopes: [ 'read_orders' ],
                        hostName: HOST,
                        isEmbeddedApp: false,
                        apiVersion: LATEST_API_VERSION,
                        logger: { log: () => {}, level: LogSeverity.Error },
                    });

                    const verdict = await shopify.webhooks.validate({
                        rawBody: m.text,
                        rawRequest: { method: m.method, url: m.url,
                            headers: m.headers },
                        rawResponse: {},
                    });

                    return verdict.valid;
                },
            };
        },
        differs: {
            'bytes that are not UTF-8': TEXT, 'empty body': NO_EMPTY,
        },
    },

    {
        sdk: 'razorpay', scheme: 'razorpay',
        secret: 'rzp_webhook_1b0c7d2f9a4386',
        header: 'x-razorpay-signature',
        sign: (m) => ({ 'x-razorpay-signature':
            hmac('sha256', m.secret, 'hex', m.body) }),
        load: async () => {
            const { default: Razorpay } = await import('razorpay');

            return {
                judge: (m) => Razorpay.validateWebhookSignature(m.body,
                    m.headers['x-razorpay-signature'], m.secret),
            };
        },
        differs: { ...HEX_TEXT },
    },

    {
        sdk: 'discord-interactions', scheme: 'discord',
        secret: discord[0].hex, other: discord[1].hex,
        header: 'x-signature-ed25519', window: [ 300, 300 ],
        sign: (m) => ({
            'x-signature-timestamp': String(m.ts),
            'x-signature-ed25519': keySign(null,
                Buffer.concat([ Buffer.from(String(m.ts)), m.body ]),
                discord.find(({ hex }) => hex == m.secret).key)
                .toString('hex'),
        }),
        load: async () => {
            const { verifyKey }
                = (await import('discord-interactions')).default;

            return {
                judge: (m) => verifyKey(m.body,
                    m.headers['x-signature-ed25519'],
                    m.headers['x-signature-timestamp'], m.secret),
            };
        },
        differs: {
            'older than the window': 'the library does not check the time',
            'ahead of the window': 'the library does not check the time',
        },
    },

    {
        sdk: 'gocardless-nodejs', scheme: 'gocardless',
        secret: 'ED7D658C-D8EB-4941-948B-3973214F2D49',
        header: 'webhook-signature',
        sign: (m) => ({ 'webhook-signature':
            hmac('sha256', m.secret, 'hex', m.body) }),
        load: async () => {
            const { parse } = await import('gocardless-nodejs/webhooks');

            return {
                judge: (m) => accepts(() => parse(m.body, m.secret,
                    m.headers['webhook-signature'])),
            };
        },
        differs: { 'empty body': JSON_ONLY, 'text after the digest': JUNK },
    },

    {
        sdk: '@hubspot/api-client', scheme: 'hubspot-v3',
        secret: 'f1b0c7d2-9a43-86b1-c0de-5e1b0c7d2f9a',
        header: 'x-hubspot-signature-v3', window: [ 300, 300 ],
        sign: (m) => ({
            'x-hubspot-request-timestamp': `${m.ts}000`,
            'x-hubspot-signature-v3': hmac('sha256', m.secret, 'base64',
                m.method + m.url, m.body, `${m.ts}000`),
        }),
        load: async () => {
            const { Signature } = (await import('@hubspot/api-client')).default;

            return {
                sign: (m) => ({
                    'x-hubspot-request-timestamp': `${m.ts}000`,
                    'x-hubspot-signature-v3': Signature.getSignature(m.method,
                        'v3', { clientSecret: m.secret, url: m.url,
                            requestBody: m.text, timestamp: m.ts * 1000 }),
                }),
                judge: (m) => Signature.isValid({
                    signatureVersion: 'v3',
                    signature: m.headers['x-hubspot-signature-v3'],
                    method: m.method,
                    clientSecret: m.secret,
                    requestBody: m.text,
                    url: m.url,
                    timestamp:
                        Number(m.headers['x-hubspot-request-timestamp']),
                }),
            };
        },
        differs: {
            'bytes that are not UTF-8': TEXT, 'ahead of the window': AGE,
        },
    },

    {
        sdk: '@linear/sdk', scheme: 'linear',
        secret: 'lin_wh_Eq5vXy0sV3yFhWcBtq7dZ9Lm',
        body: (ts) => ({ webhookTimestamp: ts * 1000 }),
        header: 'linear-signature', window: [ 60, 60 ],
        sign: (m) => ({ 'linear-signature':
            hmac('sha256', m.secret, 'hex', m.body) }),
        load: async () => {
            const { LinearWebhookClient }
                = await import('@linear/sdk/webhooks');

            return {
                judge: (m) => new LinearWebhookClient(m.secret)
                    .verify(m.body, m.headers['linear-signature']),
            };
        },
        differs: {
            'upper-case digest': CASE,
            'bytes that are not UTF-8': 'the library reads the time from a '
                + 'body that is no JSON',
        },
    },

    {
        sdk: 'box-node-sdk', scheme: 'box',
        secret: 'Fd28OJrZ8oNxkgmS7TbjXNgrG8v',
        header: 'box-signature-primary', window: [ 600, 60 ],
        sign: (m) => {
            const time = new Date(m.ts * 1000).toISOString();

            return {
                'box-delivery-timestamp': time,
                'box-signature-version': '1',
                'box-signature-algorithm': 'HmacSHA256',
                'box-signature-primary':
                    hmac('sha256', m.secret, 'base64', m.body, time),
            };
        },
        load: async () => {
            const { default: Box } = await import('box-node-sdk');

            return {
                judge: (m) => Box.validateWebhookMessage(m.text, m.headers,
                    m.secret),
            };
        },
        differs: {
            'bytes that are not UTF-8': TEXT, 'ahead of the window': AGE,
        },
    },

    {
        sdk: 'coinbase-commerce-node', scheme: 'coinbase-commerce',
        secret: '30291a20-0bd1-4267-9b0f-e6e7b123c0bf',
        header: 'x-cc-webhook-signature',
        sign: (m) => ({ 'x-cc-webhook-signature':
            hmac('sha256', m.secret, 'hex', m.body) }),
        load: async () => {
            const { Webhook }
                = (await import('coinbase-commerce-node')).default;

            return {
                sign: (m) => ({ 'x-cc-webhook-signature':
                    Webhook.computeSignature(m.text, m.secret) }),
                judge: (m) => Webhook.verifySigHeader(m.body,
                    m.headers['x-cc-webhook-signature'], m.secret),
            };
        },
        differs: { 'upper-case digest': CASE },
    },

    {
        sdk: '@clerk/backend', scheme: 'clerk',
        secret: 'whsec_plJ3nmyCDGBKInavdOK15jsl',
        other: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD',
        header: 'svix-signature', window: [ 300, 300 ], both: SPACE,
        sign: standard('svix'),
        load: async () => {
            const { verifyWebhook } = await import('@clerk/backend/webhooks');

            return {
                judge: (m) => accepts(() => verifyWebhook(
                    new Request(m.url, { method: m.method, body: m.body,
                        headers: m.headers }),
                    { signingSecret: m.secret })),
            };
        },
        differs: { 'bytes that are not UTF-8': TEXT, 'empty body': JSON_ONLY },
    },

    {
        sdk: 'resend', scheme: 'resend',
        secret: 'whsec_plJ3nmyCDGBKInavdOK15jsl',
        other: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD',
        header: 'svix-signature', window: [ 300, 300 ], both: SPACE,
        sign: standard('svix'),
        load: async () => {
            const { Resend } = await import('resend');
            const resend = new Resend('re_0');

            return {
                judge: (m) => accepts(() => resend.webhooks.verify({
                    payload: m.text,
                    headers: {
                        id: m.headers['svix-id'],
                        timestamp: m.headers['svix-timestamp'],
                        signature: m.headers['svix-signature'],
                    },
                    webhookSecret: m.secret,
                })),
            };
        },
        differs: { 'bytes that are not UTF-8': TEXT, 'empty body': JSON_ONLY },
    },

    {
        sdk: 'dodopayments', scheme: 'dodo',
        secret: 'whsec_plJ3nmyCDGBKInavdOK15jsl',
        other: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD',
        header: 'webhook-signature', window: [ 300, 300 ], both: SPACE,
        sign: standard('webhook'),
        load: async () => {
            const { default: DodoPayments } = await import('dodopayments');
            const dodo = new DodoPayments({ bearerToken: 'a' });

            return {
                judge: (m) => accepts(() => dodo.webhooks.unwrap(m.text,
                    { headers: m.headers, key: m.secret })),
            };
        },
        differs: { 'bytes that are not UTF-8': TEXT, 'empty body': JSON_ONLY },
    },

    {
        sdk: '@onfido/api', scheme: 'onfido',
        secret: '_ABC123abc_5e1b0c7d2f9a43',
        header: 'x-sha2-signature',
        sign: (m) => ({ 'x-sha2-signature':
            hmac('sha256', m.secret, 'hex', m.body) }),
        load: async () => {
            const { WebhookEventVerifier }
                = (await import('@onfido/api')).default;

            return {
                judge: (m) => accepts(() => new WebhookEventVerifier(m.secret)
                    .readPayload(m.body, m.headers['x-sha2-signature'])),
            };
        },
        differs: { 'empty body': JSON_ONLY, 'text after the digest': JUNK },
    },

    {
        sdk: '@adyen/api-library', scheme: 'adyen-platform',
        secret: 'D7DD5BA6146493707BF0BE7496F6404EC7A63616B7158EC927B9F54BB43676'
            + '5F',
        other: 'DFB1EB5485895CFA84146406857104ABB4CBCABDC8AAF103A624C8F6A3EAAB'
            + '00',
        header: 'hmacsignature',
        sign: (m) => ({ 'hmacsignature': hmac('sha256',
            Buffer.from(m.secret, 'hex'), 'base64', m.body) }),
        load: async () => {
            const { hmacValidator: Validator }
                = (await import('@adyen/api-library')).default;

            // its first two parameters bear each other's names

            return {
                judge: (m) => new Validator().validateBankingHMAC(
                    m.headers['hmacsignature'], m.secret, m.text),
            };
        },
        differs: { 'bytes that are not UTF-8': TEXT },
    },

    {
        sdk: 'grammy', scheme: 'telegram',
        secret: 'Eq5vXy0sV3yFhWcBtq7dZ9Lm', unsigned: true,
        header: 'x-telegram-bot-api-secret-token',
        sign: (m) => ({ 'x-telegram-bot-api-secret-token': m.secret }),
        load: async () => {
            const { Bot, webhookCallback }
                = (await import('grammy')).default;

            return {
                judge: async (m) => {
                    const bot = new Bot('1:a', { botInfo: { id: 1,
                        is_bot: true, first_name: 'a', username: 'a' } });
                    let verdict = true;

                    await webhookCallback(bot, 'callback',
                        { secretToken: m.secret })({ update_id: 1 },
                        () => {},
                        m.headers['x-telegram-bot-api-secret-token'],
                        () => { verdict = false; });

                    return verdict;
                },
            };
        },
        differs: {},
    },

    {
        sdk: 'twilio', scheme: 'twilio', form: true,
        secret: '2f9a4386b1c05e1b0c7d2f9a4386b1c0',
        header: 'x-twilio-signature',
        sign: (m) => ({ 'x-twilio-signature': hmac('sha1', m.secret, 'base64',
            m.url, sorted(m.text)) }),
        load: async () => {
            const { default: twilio } = await import('twilio');

            return {
                sign: (m) => ({ 'x-twilio-signature':
                    twilio.getExpectedTwilioSignature(m.secret, m.url,
                        parse(m.text)) }),
                judge: (m) => twilio.validateRequest(m.secret,
                    m.headers['x-twilio-signature'], m.url, parse(m.text)),
            };
        },
        differs: {
            'broken encoding': 'the form is decoded before it is there',
            'no name': 'the form is decoded before it is there',
        },
    },

    {
        sdk: 'twilio', scheme: 'twilio-json',
        secret: '2f9a4386b1c05e1b0c7d2f9a4386b1c0',
        header: 'x-twilio-signature',
        query: (body) => 'bodySHA256='
            + createHash('sha256').update(body).digest('hex'),
        sign: (m) => ({ 'x-twilio-signature':
            hmac('sha1', m.secret, 'base64', m.url) }),
        load: async () => {
            const { default: twilio } = await import('twilio');

            return {
                sign: (m) => ({ 'x-twilio-signature':
                    twilio.getExpectedTwilioSignature(m.secret, m.url, {}) }),
                judge: (m) => twilio.validateRequestWithBody(m.secret,
                    m.headers['x-twilio-signature'], m.url, m.body),
            };
        },
        differs: {},
    },

    {
        sdk: '@sendgrid/eventwebhook', scheme: 'sendgrid',
        secret: sendgrid[0].base64, other: sendgrid[1].base64,
        header: 'x-twilio-email-event-webhook-signature', window: [ 300, 300 ],
        sign: (m) => ({
            'x-twilio-email-event-webhook-timestamp': String(m.ts),
            'x-twilio-email-event-webhook-signature': ecdsa(
                sendgrid.find(({ base64 }) => base64 == m.secret).key,
                Buffer.concat([ Buffer.from(String(m.ts)), m.body ])),
        }),
        load: async () => {
            const { EventWebhook }
                = (await import('@sendgrid/eventwebhook')).default;
            const webhook = new EventWebhook();

            return {
                judge: (m) => webhook.verifySignature(
                    webhook.convertPublicKeyToECDSA(m.secret), m.body,
                    m.headers['x-twilio-email-event-webhook-signature'],
                    m.headers['x-twilio-email-event-webhook-timestamp']),
            };
        },
        differs: {
            'bytes that are not UTF-8': TEXT, 'text after the digest': JUNK,
            'older than the window': 'the library does not check the time',
            'ahead of the window': 'the library does not check the time',
        },
    },

    {
        sdk: 'telnyx', scheme: 'telnyx',
        secret: telnyx[0].base64, other: telnyx[1].base64,
        header: 'telnyx-signature-ed25519', window: [ 300, 300 ],
        sign: (m) => ({
            'telnyx-timestamp': String(m.ts),
            'telnyx-signature-ed25519': keySign(null,
                Buffer.concat([ Buffer.from(`${m.ts}|`), m.body ]),
                telnyx.find(({ base64 }) => base64 == m.secret).key)
                .toString('base64'),
        }),
        load: async () => {
            const { default: Telnyx } = await import('telnyx');
            const { webhooks } = new Telnyx({ apiKey: 'KEY0' });

            return {
                judge: (m) => accepts(() => webhooks.unwrap(m.text,
                    { headers: m.headers, key: m.secret })),
            };
        },
        differs: {
            'bytes that are not UTF-8': TEXT, 'empty body': JSON_ONLY,
        },
    },

    {
        sdk: 'pusher', scheme: 'pusher',
        secret: '7d2f9a4386b1c05e1b0c',
        header: 'x-pusher-signature',
        sign: (m) => ({ 'x-pusher-key': 'k', 'x-pusher-signature':
            hmac('sha256', m.secret, 'hex', m.body) }),
        load: async () => {
            const { default: Pusher } = await import('pusher');

            return {
                judge: (m) => new Pusher({ appId: '1', key: 'k',
                    secret: m.secret, cluster: 'eu' })
                    .webhook({ headers: m.headers, rawBody: m.text })
                    .isValid(),
            };
        },
        differs: { ...HEX_TEXT, 'empty body': JSON_ONLY },
    },

    {
        sdk: '@notionhq/client', scheme: 'notion',
        secret: 'secret_Eq5vXy0sV3yFhWcBtq7dZ9LmN2pRkTjA',
        header: 'x-notion-signature',
        sign: (m) => ({ 'x-notion-signature': 'sha256='
            + hmac('sha256', m.secret, 'hex', m.body) }),
        load: async () => {
            const { signWebhookPayload, verifyWebhookSignature }
                = (await import('@notionhq/client')).default;

            return {
                sign: async (m) => ({ 'x-notion-signature':
                    await signWebhookPayload({ body: m.text,
                        verificationToken: m.secret }) }),
                judge: (m) => verifyWebhookSignature({ body: m.body,
                    signature: m.headers['x-notion-signature'],
                    verificationToken: m.secret }),
            };
        },
        differs: {},
    },

    {
        sdk: 'orb-billing', scheme: 'orb',
        secret: '5f8a4d1e2b3c6f7a8b9c0d1e2f3a4b5c',
        header: 'x-orb-signature', window: [ 300, 300 ], both: SPACE,
        sign: (m) => {
            const time = new Date(m.ts * 1000).toISOString().slice(0, -1);

            return {
                'x-orb-timestamp': time,
                'x-orb-signature': 'v1=' + hmac('sha256', m.secret, 'hex',
                    `v1:${time}:`, m.body),
            };
        },
        load: async () => {
            const { default: Orb } = await import('orb-billing');
            const { webhooks } = new Orb({ apiKey: 'k' });

            console.warn = () => {};

            return {
                judge: (m) => accepts(() => webhooks.verifySignature(m.text,
                    m.headers, m.secret)),
            };
        },
        differs: { ...HEX_TEXT },
    },

    {
        sdk: 'retell-sdk', scheme: 'retell',
        secret: 'key_5e1b0c7d2f9a4386b1c05e1b0c7d',
        header: 'x-retell-signature', window: [ 300, 300 ],
        sign: (m) => ({ 'x-retell-signature': `v=${m.ts}000,d=`
            + hmac('sha256', m.secret, 'hex', m.body, `${m.ts}000`) }),
        load: async () => {
            const { verify } = (await import('retell-sdk')).default;

            return {
                judge: (m) => verify(m.text, m.secret,
                    m.headers['x-retell-signature']),
            };
        },
        differs: { 'bytes that are not UTF-8': TEXT },
    },

    {
        sdk: '@liveblocks/node', scheme: 'liveblocks',
        secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
        other: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD',
        header: 'webhook-signature', window: [ 300, 300 ], both: SPACE,
        sign: standard('webhook'),
        load: async () => {
            const { WebhookHandler } = await import('@liveblocks/node');

            return {
                judge: async (m) => {
                    try {
                        new WebhookHandler(m.secret).verifyRequest({
                            headers: m.headers, rawBody: m.text });

                    } catch (e) {
                        // an event of another type, once it is authentic

                        if (!/^Unknown event type/.test(e.message)) {
                            throw e;
                        }
                    }

                    return true;
                },
            };
        },
        differs: { 'bytes that are not UTF-8': TEXT, 'empty body': JSON_ONLY },
    },

    {
        sdk: 'fintoc', scheme: 'fintoc',
        secret: 'whsec_Eq5vXy0sV3yFhWcBtq7dZ9LmN2pRkTjA',
        header: 'fintoc-signature', window: [ 300, 300 ], both: COMMA_V1,
        sign: (m) => ({ 'fintoc-signature': `t=${m.ts},v1=`
            + hmac('sha256', m.secret, 'hex', `${m.ts}.`, m.body) }),
        load: async () => {
            const { WebhookSignature } = (await import('fintoc')).default;

            return {
                judge: (m) => accepts(() => WebhookSignature.verifyHeader(
                    m.body, m.headers['fintoc-signature'], m.secret)),
            };
        },
        differs: {
            ...HEX_TEXT,
            'good digest before another': 'the library takes the last v1 only',
        },
    },

    {
        sdk: 'lithic', scheme: 'lithic',
        secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
        other: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD',
        header: 'webhook-signature', window: [ 300, 300 ], both: SPACE,
        sign: standard('webhook'),
        load: async () => {
            const { default: Lithic } = await import('lithic');
            const { webhooks } = new Lithic({ apiKey: 'k' });

            return {
                judge: (m) => accepts(() => webhooks.verifySignature(m.text,
                    m.headers, m.secret)),
            };
        },
        differs: { 'bytes that are not UTF-8': TEXT },
    },

    {
        sdk: 'replicate', scheme: 'replicate',
        secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
        other: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD',
        header: 'webhook-signature', both: SPACE,
        sign: standard('webhook'),
        load: async () => {
            const { validateWebhook } = (await import('replicate')).default;

            return {
                judge: (m) => validateWebhook({ headers: m.headers,
                    body: m.text }, m.secret),
            };
        },
        differs: { 'bytes that are not UTF-8': TEXT, 'empty body': NO_EMPTY },
    },

    {
        sdk: 'modern-treasury', scheme: 'modern-treasury',
        secret: 'wb_Eq5vXy0sV3yFhWcBtq7dZ9LmN2pRkTjA',
        header: 'x-signature',
        sign: (m) => ({ 'x-signature':
            hmac('sha256', m.secret, 'hex', m.body) }),
        load: async () => {
            const { default: ModernTreasury }
                = await import('modern-treasury');
            const { webhooks } = new ModernTreasury({ apiKey: 'k',
                organizationID: 'o' });

            return {
                sign: (m) => ({ 'x-signature':
                    webhooks.getSignature(m.text, { key: m.secret }) }),
                judge: (m) => webhooks.validateSignature(m.text, m.headers,
                    { key: m.secret }),
            };
        },
        differs: { ...HEX_TEXT },
    },

    {
        sdk: '@sanity/webhook', scheme: 'sanity',
        secret: 'Eq5vXy0sV3yFhWcBtq7dZ9LmN2pRkTjA',
        header: 'sanity-webhook-signature', window: [ 300, 300 ],
        sign: (m) => ({ 'sanity-webhook-signature': `t=${m.ts}000,v1=`
            + hmac('sha256', m.secret, 'base64url', `${m.ts}000.`, m.body) }),
        load: async () => {
            const { encodeSignatureHeader, isValidSignature }
                = await import('@sanity/webhook');

            return {
                sign: async (m) => ({ 'sanity-webhook-signature':
                    await encodeSignatureHeader(m.text, m.ts * 1000,
                        m.secret) }),
                judge: (m) => isValidSignature(m.text,
                    m.headers['sanity-webhook-signature'], m.secret),
            };
        },
        differs: {
            'bytes that are not UTF-8': TEXT, 'empty body': NO_EMPTY,
            'older than the window': 'the library does not check the time',
            'ahead of the window': 'the library does not check the time',
        },
    },
];
