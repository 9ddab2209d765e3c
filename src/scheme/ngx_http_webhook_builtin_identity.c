
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

    { NULL, NULL, NULL }
};
