
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

    { NULL, NULL, NULL }
};
