extension Sample {
  /// Reactions, and pressed buttons with what they send back; a flow's answer is no choice of ours.
  static let interactions = [
    Sample(
      "in_reaction",
      """
      message wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RgA= type=reaction at=1749419544
      from=16505551234 name=Sheena Nelson account=419561257915477 number=106540352242922 display=15550783881
      """),
    Sample(
      "in_reaction_removed",
      """
      message wamid.xyzxyz type=reaction at=1697044456 from=972987654321 user=US.13491208655302741918 name=Test Name
      account=1234567890987654321 number=1122334455667 display=972123456789
      """),
    Sample(
      "in_button_quick_reply",
      """
      message wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQUU0M0MxQzQzMUJCMTMwNUZFOQA= type=button at=1750091045
      from=16505551234 name=Sheena Nelson answers=wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBJFNjk2OTMwNEZCQjhGMzUyQUYA
      reply=Unsubscribe account=419561257915477 number=106540352242922 display=15550783881
      """),
    Sample(
      "in_interactive_button_reply",
      """
      message wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTZBQzg0MzQ4QjRCM0NGNkVGOAA= type=interactive at=1750025136
      from=16505551234 name=Sheena Nelson answers=wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBI3MEM2RUJFNkI0RENGQTVDRjUA
      reply=cancel-button account=419561257915477 number=106540352242922 display=15550783881
      """),
    Sample(
      "in_interactive_list_reply",
      """
      message wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQUJDQ0NDM0FEODY4ODkzOTc5RgA= type=interactive at=1749854575
      from=16505551234 name=Sheena Nelson answers=wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBJGMzEyNzhENTZDMzNGODlDRDgA
      reply=priority_express account=419561257915477 number=106540352242922 display=15550783881
      """),
    Sample(
      "in_interactive_nfm_reply_flow",
      """
      message wamid.wegrchytvwcggt== type=interactive at=1702502473 from=972987654321 user=US.13491208655302741918
      name=Test Name answers=wamid.gvwegfretge== account=1234567890987654321 number=1122334455667 display=972123456789
      """),
  ]
}
