
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Built-in schemes.  Media: social networks, video, files.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_scheme.h"


const ngx_http_webhook_provider_t  ngx_http_webhook_builtin_media[] = {

    /* documented: Meta: webhooks */
    { "meta", NULL,
      "signature  $http_x_hub_signature_256 prefix=sha256=;"
      "event_type json:/object;"
      "dedup_key  body;"
      "retries    7d;"
      "handshake  get if=query:hub.mode=subscribe"
      "           token=query:hub.verify_token echo=query:hub.challenge"
      "           grammar=digits;" },

    { "facebook", "meta", NULL },
    { "instagram", "meta", NULL },
    { "messenger", "meta", NULL },
    { "whatsapp", "meta", NULL },

    /*
     * documented: Twitch: getting events using webhook callbacks,
     * https://dev.twitch.tv/docs/eventsub/handling-webhook-events
     */
    { "twitch", NULL,
      "signature  $http_twitch_eventsub_message_signature prefix=sha256=;"
      "timestamp  $http_twitch_eventsub_message_timestamp unit=rfc3339;"
      "tolerance  10m;"
      "signed     $http_twitch_eventsub_message_id"
                 "$http_twitch_eventsub_message_timestamp"
                 "$request_body;"
      "event_id   $http_twitch_eventsub_message_id;"
      "event_type $http_twitch_eventsub_subscription_type;"
      "handshake  signed post"
      "           if=$http_twitch_eventsub_message_type="
                 "webhook_callback_verification"
      "           echo=json:/challenge;" },

    /* documented: Mux: verify webhook signatures */
    { "mux", NULL,
      "signature  $http_mux_signature separator=, prefix=v1=;"
      "timestamp  $http_mux_signature separator=, prefix=t=;"
      "signed     $webhook_timestamp.$request_body;"
      "event_id   json:/id;"
      "event_type json:/type;"
      "retries    24h;" },

    /*
     * the delivery id is not signed, and another one in a retry
     *
     * documented: Box: V2 webhooks,
     * https://developer.box.com/guides/webhooks/v2
     */
    { "box", NULL,
      "signature  $http_box_signature_primary $http_box_signature_secondary"
      "           encoding=base64;"
      "timestamp  $http_box_delivery_timestamp unit=rfc3339;"
      "tolerance  10m 60s;"
      "signed     $request_body$http_box_delivery_timestamp;"
      "event_id   $http_box_delivery_id;"
      "event_type json:/trigger;"
      "dedup_key  body;"
      "retries    3h;" },

    /* documented: Dropbox: webhooks */
    { "dropbox", NULL,
      "signature  $http_x_dropbox_signature;"
      "handshake  get echo=query:challenge;" },

    /*
     * a file that is changed twice has the same event again
     *
     * seen: ngrok, webhooks.fyi, 4 programs
     */
    { "frame-io", NULL,
      "signature  $http_x_frameio_signature prefix=v0=;"
      "timestamp  $http_x_frameio_request_timestamp;"
      "signed     v0:$http_x_frameio_request_timestamp:$request_body;"
      "dedup_key  off;" },

    /*
     * secret: the client secret
     * seen: a receiver service, Hookdeck
     */
    { "linkedin", NULL,
      "signature  $http_x_li_signature;"
      "signed     hmacsha256=$request_body;"
      "dedup_key  body;" },

    /*
     * what an event holds is chosen by the administrator
     *
     * documented: sanity-io/webhook-toolkit src/signature.ts
     */
    { "sanity", NULL,
      "signature  $http_sanity_webhook_signature separator=, prefix=v1="
      "           encoding=base64url;"
      "timestamp  $http_sanity_webhook_signature separator=, prefix=t= unit=ms;"
      "signed     $webhook_timestamp.$request_body;"
      "dedup_key  off;" },

    /*
     * secret: the client secret
     * seen: a receiver service, webhooks.fyi, ngrok, Hookdeck
     */
    { "tiktok", NULL,
      "signature  $http_tiktok_signature separator=, prefix=s=;"
      "timestamp  $http_tiktok_signature separator=, prefix=t=;"
      "signed     $webhook_timestamp.$request_body;"
      "dedup_key  body;" },

    /*
     * webhooks that are made in the dashboard are not signed
     *
     * secret: the client secret
     * seen: a receiver service, a Rust verifier, Hookdeck, trigger.dev
     */
    { "webflow", NULL,
      "signature  $http_x_webflow_signature;"
      "timestamp  $http_x_webflow_timestamp unit=ms;"
      "signed     $http_x_webflow_timestamp:$request_body;"
      "dedup_key  body;" },

    /* seen: 4 programs */
    { "wistia", NULL,
      "signature  $http_x_wistia_signature;"
      "dedup_key  body;" },

    /*
     * secret: the consumer secret
     * documented: xdevplatform/docs x-api/webhooks/quickstart.mdx
     */
    { "x", NULL,
      "signature  $http_x_twitter_webhooks_signature prefix=sha256="
      "           encoding=base64;"
      "dedup_key  body;"
      "handshake  get hmac=query:crc_token as=json:response_token"
      "           prefix=sha256= encoding=base64;" },

    { "twitter", "x", NULL },

    /*
     * events of different types can have one body
     *
     * seen: 5 programs
     */
    { "patreon", NULL,
      "algorithm  hmac-md5;"
      "signature  $http_x_patreon_signature;"
      "event_type $http_x_patreon_event;"
      "dedup_key  $http_x_patreon_event body;" },

    /*
     * secret: the public key
     * documented: KickEngineering/KickDevDocs events/webhook-security.md
     */
    { "kick", NULL,
      "algorithm  rsa-sha256;"
      "signature  $http_kick_event_signature encoding=base64;"
      "timestamp  $http_kick_event_message_timestamp unit=rfc3339;"
      "signed     $http_kick_event_message_id."
                 "$http_kick_event_message_timestamp.$request_body;"
      "event_id   $http_kick_event_message_id;"
      "event_type $http_kick_event_type;" },

    /*
     * documented: cloudflare/cloudflare-docs
     * src/content/docs/stream/manage-video-library/using-webhooks.mdx
     */
    { "cloudflare-stream", NULL,
      "signature  $http_webhook_signature separator=, prefix=sig1=;"
      "timestamp  $http_webhook_signature separator=, prefix=time=;"
      "signed     $webhook_timestamp.$request_body;"
      "dedup_key  body;" },

    /* documented: dubinc/dub apps/web/lib/webhook */
    { "dub", NULL,
      "signature  $http_dub_signature;"
      "event_type json:/event;"
      "dedup_key  body;" },

    /*
     * documented: liveblocks/liveblocks
     * packages/liveblocks-node/src/webhooks.ts
     */
    { "liveblocks", "standard-webhooks",
      "" },

    { NULL, NULL, NULL }
};
