
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Built-in schemes.  Code: repositories, builds, hosting, monitoring, issues.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_scheme.h"


const ngx_http_webhook_provider_t  ngx_http_webhook_builtin_code[] = {

    /*
     * the delivery id is not signed, anybody can change it
     *
     * documented: GitHub: validating webhook deliveries
     */
    { "github", NULL,
      "signature  $http_x_hub_signature_256 prefix=sha256=;"
      "event_id   $http_x_github_delivery;"
      "event_type $http_x_github_event;"
      "dedup_key  body;" },

    /* documented: GitLab: webhooks */
    { "gitlab", "standard-webhooks",
      "event_type $http_x_gitlab_event;" },

    /* documented: GitLab: webhooks */
    { "gitlab-token", NULL,
      "algorithm  token;"
      "signature  $http_x_gitlab_token;"
      "event_id   $http_idempotency_key;"
      "event_type $http_x_gitlab_event;" },

    /* documented: Gitea: webhooks */
    { "gitea", NULL,
      "signature  $http_x_gitea_signature;"
      "event_id   $http_x_gitea_delivery;"
      "event_type $http_x_gitea_event;"
      "dedup_key  body;" },

    { "forgejo", "gitea", NULL },

    /* documented: Bitbucket: manage webhooks */
    { "bitbucket", NULL,
      "signature  $http_x_hub_signature prefix=sha256=;"
      "event_id   $http_x_request_uuid;"
      "event_type $http_x_event_key;"
      "dedup_key  body;" },

    { "bitbucket-server", "bitbucket", NULL },

    /* documented: Jira: webhooks */
    { "jira", NULL,
      "signature  $http_x_hub_signature prefix=sha256=;"
      "event_id   $http_x_atlassian_webhook_identifier;"
      "event_type json:/webhookEvent;"
      "dedup_key  body;" },

    /* documented: Linear: webhooks, https://linear.app/developers/webhooks */
    { "linear", NULL,
      "signature  $http_linear_signature;"
      "timestamp  json:/webhookTimestamp unit=ms;"
      "tolerance  1m;"
      "event_id   $http_linear_delivery;"
      "event_type $http_linear_event;"
      "dedup_key  body;"
      "retries    7h;" },

    /*
     * one action is reported for each model that is watched
     *
     * documented: Trello: webhooks
     */
    { "trello", NULL,
      "algorithm  hmac-sha1;"
      "signature  $http_x_trello_webhook encoding=base64;"
      "signed     ${request_body}https://$http_host$request_uri;"
      "event_id   json:/action/id;"
      "event_type json:/action/type;"
      "dedup_key  json:/action/id json:/model/id;"
      "dedup_key  body;"
      "handshake  head status=200;" },

    /* documented: Asana: webhooks */
    { "asana", NULL,
      "signature  $http_x_hook_signature;" },

    /* documented: Sentry: webhooks */
    { "sentry", NULL,
      "signature  $http_sentry_hook_signature;"
      "event_id   $http_request_id;"
      "event_type $http_sentry_hook_resource;"
      "dedup_key  body;" },

    /* documented: PagerDuty: verifying signatures */
    { "pagerduty", NULL,
      "signature  $http_x_pagerduty_signature separator=, prefix=v1=;"
      "event_id   json:/event/id;"
      "event_type json:/event/event_type;" },

    /* documented: Vercel: webhooks */
    { "vercel", NULL,
      "algorithm  hmac-sha1;"
      "signature  $http_x_vercel_signature;"
      "event_id   json:/id;"
      "event_type json:/type;" },

    /* seen: a receiver service, ngrok, webhooks.fyi, 5 programs */
    { "autodesk", NULL,
      "algorithm  hmac-sha1;"
      "signature  $http_x_adsk_signature prefix=sha1hash=;"
      "event_id   $http_x_adsk_delivery_id;"
      "dedup_key  body;"
      "retries    48h;" },

    /*
     * documented: buildkite/docs
     * pages/apis/webhooks/_verifying_hmac_signatures.md
     */
    { "buildkite", NULL,
      "signature  $http_x_buildkite_signature separator=, prefix=signature=;"
      "timestamp  $http_x_buildkite_signature separator=, prefix=timestamp=;"
      "signed     $webhook_timestamp.$request_body;"
      "event_type $http_x_buildkite_event;"
      "dedup_key  body;" },

    /*
     * documented: buildkite/docs
     * pages/apis/webhooks/_verifying_hmac_signatures.md
     */
    { "buildkite-token", NULL,
      "algorithm  token;"
      "signature  $http_x_buildkite_token;"
      "event_type $http_x_buildkite_event;"
      "dedup_key  body;" },

    /* documented: circleci/circleci-docs outbound-webhooks.adoc */
    { "circleci", NULL,
      "signature  $http_circleci_signature separator=, prefix=v1=;"
      "event_type $http_circleci_event_type;"
      "dedup_key  body;" },

    /* documented: Composio: triggers.verify_webhook of its library */
    { "composio", "standard-webhooks",
      "" },

    /* seen: drone/go-scm, go-playground/webhooks */
    { "gogs", NULL,
      "signature  $http_x_gogs_signature;"
      "event_id   $http_x_gogs_delivery;"
      "event_type $http_x_gogs_event;"
      "dedup_key  body;" },

    /*
     * a reminder of an alert is the same as the alert; with the header of a
     * timestamp configured, another text is signed
     *
     * documented: grafana/alerting http/hmac.go
     */
    { "grafana", NULL,
      "signature  $http_x_grafana_alerting_signature;"
      "dedup_key  off;" },

    /*
     * a branch that goes to and fro has the same events again
     *
     * documented: drone/go-scm scm/driver/harness/webhook.go
     */
    { "harness", NULL,
      "signature  $http_x_harness_signature;"
      "event_type $http_x_harness_trigger;"
      "dedup_key  off;" },

    /*
     * seen: nuxt-webhook-validators, ngrok, webhooks.fyi, a receiver service,
     * 8 programs
     */
    { "heroku", NULL,
      "signature  $http_heroku_webhook_hmac_sha256 encoding=base64;"
      "dedup_key  body;" },

    /*
     * an event is what its source has sent, and may be so twice
     *
     * documented: hookdeck/webhook-skills hookdeck-event-gateway-webhooks
     */
    { "hookdeck", NULL,
      "signature  $http_x_hookdeck_signature $http_x_hookdeck_signature_2"
      "           encoding=base64;"
      "event_id   $http_x_hookdeck_eventid;"
      "dedup_key  off;" },

    /* documented: a source of Svix Ingest, by its client library */
    { "incident-io", "svix",
      "" },

    /*
     * seen: a receiver service, a Rust verifier, ngrok, webhooks.fyi, 6
     * programs
     */
    { "launchdarkly", NULL,
      "signature  $http_x_ld_signature;"
      "dedup_key  body;" },

    /*
     * the manual says hex, what is sent is base64
     *
     * seen: a receiver service, ngrok, webhooks.fyi, 5 programs
     */
    { "mongodb-atlas", NULL,
      "algorithm  hmac-sha1;"
      "signature  $http_x_mms_signature encoding=base64;"
      "dedup_key  body;" },

    /*
     * a connection that is made anew has the same event again
     *
     * seen: Svix Ingest, a program
     */
    { "nango", NULL,
      "signature  $http_x_nango_hmac_sha256;"
      "dedup_key  off;" },

    /*
     * the header is v0=, and hex digests with commas between them
     *
     * documented: hookdeck/outpost docs/content/destinations/webhook.mdoc
     */
    { "outpost", NULL,
      "signature  $http_x_outpost_signature separator=,=;"
      "event_id   $http_x_outpost_event_id;"
      "event_type $http_x_outpost_topic;"
      "dedup_key  body;" },

    /* documented: a source of Svix Ingest, by its client library */
    { "render", "svix",
      "" },

    /* documented: a source of Svix Ingest, by its client library */
    { "safebase", "svix",
      "" },

    /*
     * documented: Sonatype Nexus: example headers and payloads,
     * https://help.sonatype.com/en/example-headers-and-payloads.html
     */
    { "sonatype", NULL,
      "algorithm  hmac-sha1;"
      "signature  $http_x_nexus_webhook_signature;"
      "event_id   $http_x_nexus_webhook_delivery;"
      "event_type $http_x_nexus_webhook_id;"
      "dedup_key  body;" },

    /* seen: a Rust verifier, Svix Ingest */
    { "tailscale", NULL,
      "signature  $http_tailscale_webhook_signature separator=, prefix=v1=;"
      "timestamp  $http_tailscale_webhook_signature separator=, prefix=t=;"
      "signed     $webhook_timestamp.$request_body;"
      "dedup_key  body;" },

    /* seen: ngrok, 5 programs */
    { "terraform", NULL,
      "algorithm  hmac-sha512;"
      "signature  $http_x_tfe_notification_signature;"
      "dedup_key  body;" },

    /* seen: a receiver service, a Rust verifier */
    { "vanta", "svix",
      "" },

    /*
     * an alert does not always say when it was sent
     *
     * documented: Cloudflare's API: notification webhooks
     */
    { "cloudflare", NULL,
      "algorithm  token;"
      "signature  $http_cf_webhook_auth;"
      "dedup_key  off;" },

    /*
     * secret: the signing key that metadata.key_url of an event leads to
     * seen: Nango, a Go library
     */
    { "connectwise", NULL,
      "signature  $http_x_content_signature encoding=base64;"
      "secret     digest=sha256;"
      "dedup_key  body;" },

    /* seen: a Rust verifier, an Elixir library, a program */
    { "daytona", "svix",
      "" },

    /* documented: expo/expo docs/pages/eas/webhooks.mdx */
    { "expo", NULL,
      "algorithm  hmac-sha1;"
      "signature  $http_expo_signature prefix=sha1=;"
      "dedup_key  body;" },

    /*
     * what Gitee calls a signature covers nothing of the body, so it is the
     * password that is asked for
     *
     * secret: the password of the webhook
     * seen: 4 programs
     */
    { "gitee", NULL,
      "algorithm  token;"
      "signature  $http_x_gitee_token;"
      "event_type $http_x_gitee_event;"
      "dedup_key  body;" },

    /* seen: npm-hook-receiver, a receiver service, 3 programs */
    { "npm", NULL,
      "signature  $http_x_npm_signature prefix=sha256=;"
      "event_type json:/event;"
      "dedup_key  body;" },

    /* seen: trigger.dev, 2 programs */
    { "snyk", NULL,
      "signature  $http_x_hub_signature prefix=sha256=;"
      "dedup_key  body;" },

    { NULL, NULL, NULL }
};
