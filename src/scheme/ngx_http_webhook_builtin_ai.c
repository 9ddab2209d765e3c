
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Built-in schemes.  Artificial intelligence.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_scheme.h"


const ngx_http_webhook_provider_t  ngx_http_webhook_builtin_ai[] = {

    /* documented: OpenAI: webhooks */
    { "openai", "standard-webhooks",
      "secret     prefix=whsec_ encoding=base64;"
      "secret     encoding=raw;" },

    /* seen: Hookdeck, trigger.dev */
    { "cursor", NULL,
      "signature  $http_x_webhook_signature prefix=sha256=;"
      "dedup_key  body;" },

    /*
     * secret: the identifier of the API key
     * seen: trigger.dev, Hookdeck
     */
    { "deepgram", NULL,
      "algorithm  token;"
      "signature  $http_dg_token;"
      "dedup_key  body;" },

    /* documented: elevenlabs/elevenlabs-js src/wrapper/webhooks.ts */
    { "elevenlabs", NULL,
      "signature  $http_elevenlabs_signature separator=, prefix=v0=;"
      "timestamp  $http_elevenlabs_signature separator=, prefix=t=;"
      "signed     $webhook_timestamp.$request_body;"
      "tolerance  30m 5m;"
      "event_type json:/type;"
      "dedup_key  body;" },

    /*
     * this is for static webhooks, others are signed by a JWT
     *
     * seen: a receiver service, a Rust verifier
     */
    { "gemini", "standard-webhooks",
      "" },

    /* seen: 4 programs */
    { "hume", NULL,
      "signature  $http_x_hume_ai_webhook_signature;"
      "timestamp  $http_x_hume_ai_webhook_timestamp;"
      "signed     $request_body.$http_x_hume_ai_webhook_timestamp;"
      "dedup_key  body;" },

    /* documented: a source of Svix Ingest, by its client library */
    { "replicate", "svix",
      "event_type json:/status;" },

    /*
     * secret: the API key
     * documented: RetellAI/retell-typescript-sdk src/lib/webhook_auth.ts
     */
    { "retell", NULL,
      "signature  $http_x_retell_signature separator=, prefix=d=;"
      "timestamp  $http_x_retell_signature separator=, prefix=v= unit=ms;"
      "signed     $request_body$webhook_timestamp;"
      "event_type json:/event;"
      "dedup_key  body;" },

    /* seen: trigger.dev, Svix Ingest, a program */
    { "vapi", NULL,
      "algorithm  token;"
      "signature  $http_x_vapi_secret;"
      "dedup_key  body;" },

    /*
     * an event says what has changed, and not when
     *
     * documented: huggingface/hub-docs docs/hub/webhooks.md
     */
    { "huggingface", NULL,
      "algorithm  token;"
      "signature  $http_x_webhook_secret;"
      "event_type json:/event/scope json:/event/action;"
      "dedup_key  off;" },

    /*
     * accounts of before December 2025 are served by Svix
     *
     * documented: Recall.ai: verifying webhooks,
     * https://docs.recall.ai/docs/authenticating-requests-from-recallai
     */
    { "recall-ai", "svix",
      "event_type json:/event;" },

    /* documented: Anthropic's libraries, beta.webhooks.unwrap() */
    { "anthropic", "standard-webhooks",
      "event_type json:/data/type;" },

    { "claude", "anthropic", NULL },

    { NULL, NULL, NULL }
};
