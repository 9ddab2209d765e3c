
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Built-in schemes.  Identity: accounts, and who somebody is.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_scheme.h"


const ngx_http_webhook_provider_t  ngx_http_webhook_builtin_identity[] = {

    /* documented: Clerk: webhooks */
    { "clerk", "svix",
      "" },

    /* documented: WorkOS: webhooks */
    { "workos", NULL,
      "signature  $http_workos_signature separator=, prefix=v1=;"
      "timestamp  $http_workos_signature separator=, prefix=t= unit=ms;"
      "tolerance  3m;"
      "signed     $webhook_timestamp.$request_body;"
      "event_id   json:/id;"
      "event_type json:/event;"
      "retries    3d;" },

    /* documented: Persona: webhooks, https://docs.withpersona.com/webhooks */
    { "persona", NULL,
      "signature  $http_persona_signature \"group= \" separator=,"
      "           prefix=v1=;"
      "timestamp  $http_persona_signature \"group= \" separator=, prefix=t=;"
      "signed     $webhook_timestamp.$request_body;"
      "event_id   json:/data/id;"
      "event_type json:/data/attributes/name;" },

    /* documented: Onfido: webhooks */
    { "onfido", NULL,
      "signature  $http_x_sha2_signature;"
      "event_id   json:/payload/object/id;"
      "event_type json:/payload/action;"
      "dedup_key  body;" },

    /*
     * secret: the API private key
     * seen: Hookdeck
     */
    { "aiprise", NULL,
      "signature  $http_x_hmac_signature;"
      "dedup_key  off;" },

    /*
     * secret: the API secret
     * documented: castle/castle-node
     * src/webhook/services/webhook-verify.service.ts
     */
    { "castle", NULL,
      "signature  $http_x_castle_signature encoding=base64;"
      "dedup_key  body;" },

    /*
     * secret: the API key
     * documented: checkr/webhook-verification-examples
     */
    { "checkr", NULL,
      "signature  $http_x_checkr_signature;"
      "dedup_key  body;" },

    /*
     * secret: the value of the header, as configured
     * seen: trigger.dev, Hookdeck
     */
    { "okta", NULL,
      "algorithm  token;"
      "signature  $http_authorization;"
      "dedup_key  body;"
      "handshake  get echo=$http_x_okta_verification_challenge"
      "           as=json:verification;" },

    /* documented: a source of Svix Ingest, by its client library */
    { "sardine", "svix",
      "" },

    /* documented: a source of Svix Ingest, by its client library */
    { "stytch", "svix",
      "" },

    /*
     * X-Payload-Digest-Alg says the algorithm: choose SHA-256
     *
     * seen: 6 programs
     */
    { "sumsub", NULL,
      "signature  $http_x_payload_digest;"
      "dedup_key  body;" },

    /*
     * this is for hooks of Supabase Auth, those of a database are not signed
     *
     * seen: a receiver service, a Rust verifier, trigger.dev
     */
    { "supabase", "standard-webhooks",
      "secret     prefix=v1,whsec_ encoding=base64;"
      "secret     prefix=whsec_ encoding=base64;"
      "secret     encoding=base64;" },

    /* seen: ngrok */
    { "vmware", "basic",
      "" },

    /*
     * several events stand in one request
     *
     * secret: the value of the header, as configured
     * documented: Auth0: custom log streams
     */
    { "auth0", NULL,
      "algorithm  token;"
      "signature  $http_authorization;"
      "dedup_key  body;" },

    /*
     * events of different types can have one body
     *
     * secret: the API key
     * documented: signifyd/magento2 Controller/Webhooks
     */
    { "signifyd", NULL,
      "signature  $http_x_signifyd_sec_hmac_sha256 encoding=base64;"
      "event_type $http_x_signifyd_topic;"
      "dedup_key  $http_x_signifyd_topic body;" },

    /*
     * a step of a session can be taken twice
     *
     * secret: the shared secret key
     * documented: Veriff: HMAC authentication and endpoint security
     */
    { "veriff", NULL,
      "signature  $http_x_hmac_signature $http_vrf_hmac_signature;"
      "dedup_key  off;" },

    { NULL, NULL, NULL }
};
