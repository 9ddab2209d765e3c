
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Built-in schemes.  People: hiring, customers, appointments, forms, documents.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_scheme.h"


const ngx_http_webhook_provider_t  ngx_http_webhook_builtin_people[] = {

    /* documented: Calendly: webhook signatures */
    { "calendly", NULL,
      "signature  $http_calendly_webhook_signature separator=, prefix=v1=;"
      "timestamp  $http_calendly_webhook_signature separator=, prefix=t=;"
      "signed     $webhook_timestamp.$request_body;"
      "event_type json:/event;"
      "dedup_key  body;"
      "retries    24h;" },

    /* documented: Typeform: secure your webhooks */
    { "typeform", NULL,
      "signature  $http_typeform_signature prefix=sha256= encoding=base64;"
      "event_id   json:/event_id;"
      "event_type json:/event_type;" },

    /* documented: Airtable: webhooks */
    { "airtable", NULL,
      "signature  $http_x_airtable_content_mac prefix=hmac-sha256=;"
      "secret     encoding=base64;"
      "dedup_key  body;" },

    /* documented: HubSpot: validating requests */
    { "hubspot-v3", NULL,
      "signature  $http_x_hubspot_signature_v3 encoding=base64;"
      "timestamp  $http_x_hubspot_request_timestamp unit=ms;"
      "signed     ${request_method}https://$http_host$request_uri"
                 "$request_body$http_x_hubspot_request_timestamp;"
      "event_id   json:/0/eventId;"
      "event_type json:/0/subscriptionType;"
      "dedup_key  body;"
      "retries    24h;" },

    /*
     * documented: DocuSign Connect overview,
     * https://developers.docusign.com/platform/webhooks/connect
     */
    { "docusign", NULL,
      "signature  $http_x_docusign_signature_1 $http_x_docusign_signature_2"
      "           $http_x_docusign_signature_3 $http_x_docusign_signature_4"
      "           $http_x_docusign_signature_5 $http_x_docusign_signature_6"
      "           $http_x_docusign_signature_7 $http_x_docusign_signature_8"
      "           encoding=base64;"
      "event_type json:/event;"
      "dedup_key  body;" },

    { NULL, NULL, NULL }
};
