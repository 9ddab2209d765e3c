
/*
 * Linked into the nginx of "make SANITIZE=1": how the sanitizers behave where
 * the environment does not say otherwise.  nginx's workers have an environment
 * of their own, where they would not find their options.
 */


const char *__asan_default_options(void);
const char *__ubsan_default_options(void);
const char *__lsan_default_options(void);
const char *__lsan_default_suppressions(void);


const char *
__asan_default_options(void)
{
    /* each loaded module has an ngx_module_names */

    return "abort_on_error=1:detect_odr_violation=0";
}


const char *
__ubsan_default_options(void)
{
    return "abort_on_error=1:print_stacktrace=1";
}


const char *
__lsan_default_options(void)
{
    return "print_suppressions=0";
}


const char *
__lsan_default_suppressions(void)
{
    /* what nginx does not free: it lives as long as the process does */

    return "leak:ngx_event_process_init\n"
           "leak:ngx_regex_malloc\n"
           "leak:ngx_set_environment\n";
}
