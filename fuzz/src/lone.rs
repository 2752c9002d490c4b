pub(crate) fn run(_: &mut crate::script::Script<'_>) {}
